#!/bin/sh
# Bring the Qt, X and OpenGL libraries that napari needs: install them when root on
# Debian, otherwise say which are missing. Usage: system-libraries.sh PACKAGE...
command -v dpkg-query >/dev/null 2>&1 || exit 0
missing=""
for package in "$@"; do
  state=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)
  [ "$state" = "install ok installed" ] || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" -eq 0 ]; then
  echo "Installing system libraries:$missing"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null
else
  echo "napari's window needs system libraries that are missing. As root:"
  echo "  apt-get install$missing"
fi
