"""The command line ``shiftseg``: one file per command."""
