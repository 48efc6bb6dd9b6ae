#!/bin/sh
# as-user.sh FOLDER PACKAGE NODE SCRIPT: runs the shell script SCRIPT as the user nobody, who may mount.
#
# Called in a mount namespace of its own (unshare --mount), so nothing of it is seen outside and nothing
# stays: a /dev/fuse that is open to everybody, the package where nobody can read it ($PACKAGE), and a
# folder of nobody's ($FOLDER, also the working directory). Exit code 77: this machine cannot do that.
set -eu
# Hooks of the test runner lie where nobody can read them.
unset NODE_OPTIONS
folder=$1 package=$2 node=$3 script=$4

cannot() {
  echo "$1"
  exit 77
}

chmod 755 "$folder"
mkdir "$folder/package" "$folder/device" "$folder/own"
mount --bind "$package" "$folder/package" || cannot 'no bind mount here'
mount -t tmpfs -o mode=755,dev tmpfs "$folder/device" || cannot 'no tmpfs here'
mknod -m 666 "$folder/device/fuse" c 10 229 || cannot 'no mknod here'
mount --bind "$folder/device/fuse" /dev/fuse || cannot 'no bind mount over /dev/fuse here'
chown nobody "$folder/own" || cannot 'no user nobody here'
cd "$folder/own"

as_nobody() {
  setpriv --reuid nobody --regid nogroup --clear-groups "$@"
}
as_nobody "$node" -e '' || cannot 'node is not open to the user nobody here'
as_nobody sh -c ': <>/dev/fuse' || cannot '/dev/fuse does not open for the user nobody here'
export FOLDER="$folder/own" PACKAGE="$folder/package" NODE="$node" HOME="$folder/own" NO_COLOR=1
as_nobody sh -eu -c "$script"
