import t from 'tap'
import { userTest } from '../support/as-user.ts'

/** Names of the scripts' temporary folder are left out. */
const said = (text: string): string => text.replace(/\/\S*hn4-user-[^/]*\/own/g, '~')

userTest(
  t,
  'an ordinary user makes a volume, mounts it and uses it',
  `
mkfs -q disk.img 64M
mkdir mnt
hn4 mount disk.img mnt
stat -c '%u %a' mnt | sed "s/^$(id -u) /own /"
echo content > mnt/file
mkdir mnt/folder
mv mnt/file mnt/folder/file
cat mnt/folder/file
chown 0 mnt/folder/file 2> chown.txt || echo no chown
grep " $FOLDER/mnt " /proc/self/mountinfo | grep -c "nosuid,nodev"
hn4 umount mnt
hn4 cat disk.img:/folder/file
code fsck -n -q disk.img
`,
  (t, ran) => {
    t.equal(ran.stdout, 'own 755\ncontent\nno chown\n1\ncontent\nexit 0\n', ran.stderr)
    t.equal(ran.stderr, '')
  },
)

userTest(
  t,
  'a user is told in one line why a mount is refused',
  `
mkfs -q disk.img 64M
mkdir mnt
code hn4 mount -o allow_other disk.img mnt
code hn4 mount -o nosymfollow disk.img mnt
code hn4 mount disk.img /
chmod 400 disk.img
code hn4 mount disk.img mnt
code hn4 mount -o ro disk.img mnt
code hn4 umount mnt
chmod 000 disk.img
code hn4 mount -o ro disk.img mnt
code hn4 info disk.img
code fsck -n disk.img
code mkfs -f disk.img
`,
  (t, ran) => {
    t.equal(
      said(ran.stdout).trim().split('\n').join(' '),
      'exit 1 exit 1 exit 32 exit 1 exit 0 exit 0 exit 1 exit 8 exit 8 exit 1',
    )
    const lines = said(ran.stderr).trim().split('\n')
    t.equal(lines.length, 8, ran.stderr)
    t.match(lines[0], /allow_other: root has to add the line user_allow_other to \/etc\/fuse\.conf/)
    t.match(lines[1], /^hn4 mount: -o nosymfollow: fusermount3 does not know it/)
    t.match(lines[2], /^hn4 mount: .*fusermount3/)
    t.equal(lines[3], 'hn4 mount: no permission to write the image: disk.img; it can be read: mount it with -o ro')
    t.equal(lines[4], 'hn4 mount: no permission to read the image: disk.img')
    t.match(lines[5], /^hn4 info: permission denied: /)
    t.match(lines[6], /^fsck\.hn4: permission denied: /)
    t.match(lines[7], /^mkfs\.hn4: permission denied: /)
  },
)

userTest(
  t,
  "a user's mount ends by fusermount3 -u, and after kill -9 the next mount clears it",
  `
mkfs -q disk.img 64M
mkdir mnt
hn4 mount disk.img mnt
echo one > mnt/file
sync mnt/file
fusermount3 -u mnt
while grep -q "$FOLDER/disk.img" /proc/locks /proc/self/mountinfo; do sleep 0.1; done
"$NODE" "$PACKAGE/dist/cli/main.js" mount -f disk.img mnt 2> front.txt &
until [ -s front.txt ]; do sleep 0.1; done
kill -9 $!
wait $! || true
code ls mnt 2> /dev/null
code hn4 mount disk.img mnt
cat mnt/file
hn4 umount mnt
`,
  (t, ran) => {
    t.equal(ran.stdout, 'exit 2\nexit 0\none\n', ran.stderr)
    t.match(said(ran.stderr), /^hn4 mount: took off the dead mount of ~\/disk\.img at ~\/mnt$/m)
  },
)
