#!/bin/sh
# with-helpers.sh HELPERS SCRIPT: runs the shell script SCRIPT with the files of the folder HELPERS in /sbin.
#
# Called in a mount namespace of its own (unshare --mount): the folder is laid over /sbin there, and nothing
# is seen outside. Exit code 77: this machine cannot do that.
set -eu
sbin=$(readlink -f /sbin)
mount -t overlay overlay -o "lowerdir=$1:$sbin" "$sbin" || { echo 'no overlay mount here'; exit 77; }
eval "$2"
