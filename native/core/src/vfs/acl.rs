//! POSIX access control lists in the form of the attributes `system.posix_acl_access` and
//! `system.posix_acl_default` (linux/posix_acl_xattr.h): a version, then entries of 8 bytes.
//!
//! Pure arithmetic. Who stores a list keeps three rules: setting an access list also sets the
//! permission bits ([`Acl::mode`]), and a list that says no more than these bits is not stored
//! ([`Acl::is_minimal`]); chmod also changes a stored list ([`Acl::chmod`]); a new file below a
//! default list gets its lists and mode from [`Acl::inherit`], and the umask does not apply.

use crate::base::{Code, Result};

/// POSIX_ACL_XATTR_VERSION.
const VERSION: u32 = 2;
const HEADER: usize = 4;
const ENTRY: usize = 8;

/// ACL_* tags (linux/posix_acl.h).
const USER_OBJ: u16 = 0x01;
const USER: u16 = 0x02;
const GROUP_OBJ: u16 = 0x04;
const GROUP: u16 = 0x08;
const MASK: u16 = 0x10;
const OTHER: u16 = 0x20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    tag: u16,
    /// Bits rwx, 0 to 7.
    perm: u16,
    /// The user or group of USER and GROUP entries.
    id: u32,
}

/// A valid list: entries in the order of their tags, one each of USER_OBJ, GROUP_OBJ and OTHER,
/// a MASK where there is a USER or GROUP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acl(Vec<Entry>);

impl Acl {
    /// Reads an attribute's value; InvalidArgument if it is not a valid list.
    pub fn parse(bytes: &[u8]) -> Result<Acl> {
        let (head, body) = bytes.split_at_checked(HEADER).ok_or(Code::InvalidArgument)?;
        if head != VERSION.to_le_bytes() || body.len() % ENTRY != 0 {
            return Err(Code::InvalidArgument.into());
        }
        let entries = body.chunks_exact(ENTRY).map(|raw| Entry {
            tag: u16::from_le_bytes([raw[0], raw[1]]),
            perm: u16::from_le_bytes([raw[2], raw[3]]),
            id: u32::from_le_bytes([raw[4], raw[5], raw[6], raw[7]]),
        });
        let acl = Acl(entries.collect());
        if acl.is_valid() { Ok(acl) } else { Err(Code::InvalidArgument.into()) }
    }

    /// The attribute's value.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + self.0.len() * ENTRY);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        for entry in &self.0 {
            bytes.extend_from_slice(&entry.tag.to_le_bytes());
            bytes.extend_from_slice(&entry.perm.to_le_bytes());
            bytes.extend_from_slice(&entry.id.to_le_bytes());
        }
        bytes
    }

    fn is_valid(&self) -> bool {
        let ordered = self.0.windows(2).all(|pair| {
            // USER and GROUP may repeat.
            pair[0].tag < pair[1].tag || (pair[0].tag == pair[1].tag && matches!(pair[0].tag, USER | GROUP))
        });
        let known = self.0.iter().all(|entry| {
            entry.perm <= 7 && matches!(entry.tag, USER_OBJ | USER | GROUP_OBJ | GROUP | MASK | OTHER)
        });
        let has = |tag| self.0.iter().any(|entry| entry.tag == tag);
        let needs_mask = has(USER) || has(GROUP);
        ordered && known && has(USER_OBJ) && has(GROUP_OBJ) && has(OTHER) && (has(MASK) || !needs_mask)
    }

    /// True if permission bits alone say the same.
    pub fn is_minimal(&self) -> bool {
        self.0.iter().all(|entry| matches!(entry.tag, USER_OBJ | GROUP_OBJ | OTHER))
    }

    /// The permission bits (0777) of a file with this list: the mask stands in the group's place.
    pub fn mode(&self) -> u32 {
        let bits =
            |tag| self.0.iter().find(|entry| entry.tag == tag).map_or(0, |entry| u32::from(entry.perm));
        let group = self.group_tag();
        bits(USER_OBJ) << 6 | bits(group) << 3 | bits(OTHER)
    }

    /// The list of a file that has none: its permission bits.
    pub fn of_mode(mode: u32) -> Acl {
        let entry = |tag, shift: u32| Entry { tag, perm: (mode >> shift & 7) as u16, id: 0 };
        Acl(vec![entry(USER_OBJ, 6), entry(GROUP_OBJ, 3), entry(OTHER, 0)])
    }

    /// Whether the list gives all of `wanted` (bits rwx): `posix_acl_permission` of Linux. `owner` and
    /// `group` are the file's.
    pub fn allows(&self, wanted: u16, owner: u32, group: u32, uid: u32, is_in: impl Fn(u32) -> bool) -> bool {
        let perm = |tag| self.0.iter().find(|entry| entry.tag == tag).map(|entry| entry.perm);
        let mask = perm(MASK).unwrap_or(7);
        let gives = |perm: u16| perm & wanted == wanted;
        if uid == owner {
            return perm(USER_OBJ).is_some_and(gives);
        }
        if let Some(named) = self.0.iter().find(|entry| entry.tag == USER && entry.id == uid) {
            return gives(named.perm & mask);
        }
        let mut his = self.0.iter().filter(|entry| match entry.tag {
            GROUP_OBJ => is_in(group),
            GROUP => is_in(entry.id),
            _ => false,
        });
        match his.next() {
            Some(first) => gives(first.perm & mask) || his.any(|entry| gives(entry.perm & mask)),
            None => perm(OTHER).is_some_and(gives),
        }
    }

    /// What chmod makes of the list. Only permission bits of `mode` count.
    pub fn chmod(&mut self, mode: u32) {
        let group = self.group_tag();
        for entry in &mut self.0 {
            if let Some(bits) = class_bits(entry.tag, group, mode) {
                entry.perm = bits;
            }
        }
    }

    /// The access list and the mode of a file made with `mode` (all of `st_mode`, umask not
    /// applied) in a directory with this default list. A directory also inherits the list itself.
    pub fn inherit(&self, mode: u32) -> (Acl, u32) {
        let mut access = self.clone();
        let group = access.group_tag();
        for entry in &mut access.0 {
            if let Some(bits) = class_bits(entry.tag, group, mode) {
                entry.perm &= bits;
            }
        }
        let bits = access.mode();
        (access, mode & !0o777 | bits)
    }

    /// The entry that stands for the group class.
    fn group_tag(&self) -> u16 {
        if self.0.iter().any(|entry| entry.tag == MASK) { MASK } else { GROUP_OBJ }
    }
}

/// The three bits of `mode` that an entry corresponds to, if any.
fn class_bits(tag: u16, group: u16, mode: u32) -> Option<u16> {
    let shift = match tag {
        USER_OBJ => 6,
        OTHER => 0,
        tag if tag == group => 3,
        _ => return None,
    };
    Some((mode >> shift & 7) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acl(entries: &[(u16, u16, u32)]) -> Acl {
        let entries = entries.iter().map(|&(tag, perm, id)| Entry { tag, perm, id });
        Acl(entries.collect())
    }

    fn full() -> Acl {
        acl(&[
            (USER_OBJ, 7, 0),
            (USER, 6, 1000),
            (USER, 4, 1001),
            (GROUP_OBJ, 5, 0),
            (MASK, 6, 0),
            (OTHER, 1, 0),
        ])
    }

    #[test]
    fn bytes_and_back() {
        let bytes = full().encode();
        assert_eq!((bytes.len(), &bytes[..12]), (52, &[2, 0, 0, 0, 1, 0, 7, 0, 0, 0, 0, 0][..]));
        assert_eq!(Acl::parse(&bytes).expect("valid"), full());
        for cut in 0..bytes.len() {
            assert!(Acl::parse(&bytes[..cut]).is_err(), "{cut} bytes");
        }
    }

    #[test]
    fn invalid_lists_are_refused() {
        let refused =
            |entries: &[(u16, u16, u32)]| assert!(Acl::parse(&acl(entries).encode()).is_err(), "{entries:?}");
        refused(&[(USER_OBJ, 7, 0), (USER, 6, 1), (GROUP_OBJ, 5, 0), (OTHER, 1, 0)]);
        refused(&[(USER_OBJ, 8, 0), (GROUP_OBJ, 5, 0), (OTHER, 1, 0)]);
        refused(&[(GROUP_OBJ, 5, 0), (USER_OBJ, 7, 0), (OTHER, 1, 0)]);
        refused(&[(USER_OBJ, 7, 0), (USER_OBJ, 7, 0), (GROUP_OBJ, 5, 0), (OTHER, 1, 0)]);
        refused(&[(USER_OBJ, 7, 0), (GROUP_OBJ, 5, 0), (OTHER, 1, 0), (0x40, 1, 0)]);
        refused(&[(USER_OBJ, 7, 0), (GROUP_OBJ, 5, 0)]);
    }

    #[test]
    fn the_mask_is_the_groups_part_of_the_mode() {
        assert_eq!(full().mode(), 0o761);
        assert!(!full().is_minimal());
        let minimal = acl(&[(USER_OBJ, 6, 0), (GROUP_OBJ, 4, 0), (OTHER, 0, 0)]);
        assert!(minimal.is_minimal());
        assert_eq!(minimal.mode(), 0o640);
    }

    #[test]
    fn who_is_allowed_what() {
        let allows = |acl: &Acl, wanted, uid, gid| acl.allows(wanted, 5, 50, uid, |group| group == gid);
        let list = acl(&[
            (USER_OBJ, 6, 0),
            (USER, 7, 1000),
            (GROUP_OBJ, 4, 0),
            (GROUP, 1, 60),
            (MASK, 5, 0),
            (OTHER, 2, 0),
        ]);
        assert!(allows(&list, 6, 5, 1) && !allows(&list, 1, 5, 60), "the owner by his entry alone");
        assert!(allows(&list, 1, 1000, 1) && !allows(&list, 2, 1000, 1), "the mask limits named users");
        assert!(allows(&list, 4, 1, 50) && !allows(&list, 1, 1, 50) && allows(&list, 1, 1, 60));
        assert!(!allows(&list, 2, 1, 60), "a group's member is not among the others");
        assert!(allows(&list, 2, 1, 1) && !allows(&list, 1, 1, 1));
        let bits = Acl::of_mode(0o40_751);
        assert!(allows(&bits, 7, 5, 1) && allows(&bits, 5, 1, 50) && !allows(&bits, 2, 1, 50));
        assert!(allows(&bits, 1, 1, 1) && !allows(&bits, 4, 1, 1));
    }

    #[test]
    fn chmod_changes_the_mask_and_not_the_group() {
        let mut changed = full();
        changed.chmod(0o640);
        assert_eq!(changed.mode(), 0o640);
        assert_eq!(changed.0[3].perm, 5);
    }

    #[test]
    fn a_new_file_gets_what_list_and_mode_both_allow() {
        let (access, mode) = full().inherit(0o100_666);
        assert_eq!(mode, 0o100_660);
        assert_eq!(access.0.iter().map(|entry| entry.perm).collect::<Vec<_>>(), [6, 6, 4, 5, 6, 0]);
        let plain = acl(&[(USER_OBJ, 7, 0), (GROUP_OBJ, 5, 0), (OTHER, 5, 0)]);
        let (access, mode) = plain.inherit(0o40_700);
        assert_eq!((access.is_minimal(), mode), (true, 0o40_700));
    }
}
