#!/bin/sh
# Run a command that opens windows: on a virtual screen where there is one to be had.
if command -v xvfb-run >/dev/null 2>&1; then
  exec xvfb-run -a -s "-screen 0 ${SCREEN:-1600x1000x24}" "$@"
fi
if [ -n "$DISPLAY$WAYLAND_DISPLAY" ] || [ "$(uname)" = Darwin ]; then
  exec "$@"
fi
echo "The widgets' tests need a screen: install xvfb and xauth." >&2
exit 1
