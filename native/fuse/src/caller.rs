//! What a request does not say of its caller: groups and capabilities, from /proc.

use hn4_core::vfs::acl::Acl;
use hn4_core::vfs::api::{Attr, Caller};
use std::fs;

/// Capabilities by their numbers (linux/capability.h).
#[derive(Clone, Copy)]
pub enum Capability {
    DacOverride = 1,
    DacReadSearch = 2,
    FSetId = 4,
    SysAdmin = 21,
}

/// Groups and capabilities of a thread that waits for its answer. What cannot be known it does not have.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Standing {
    groups: Vec<u32>,
    capabilities: u64,
}

impl Standing {
    pub fn of(who: &Caller) -> Standing {
        let known =
            fs::read_to_string(format!("/proc/{}/status", who.pid)).ok().and_then(|text| read(&text, who));
        let mut standing = known.unwrap_or_default();
        if standing.capabilities != 0 && !shares_user_namespace(who.pid) {
            standing.capabilities = 0;
        }
        standing.groups.push(who.gid);
        standing
    }

    pub fn is_in(&self, group: u32) -> bool {
        self.groups.contains(&group)
    }

    pub fn has(&self, capability: Capability) -> bool {
        self.capabilities >> capability as u32 & 1 != 0
    }

    /// Whether this user may search a directory with this access list (empty: none).
    pub fn may_search(&self, dir: &Attr, list: &[u8], uid: u32) -> bool {
        const SEARCH: u16 = 1;
        let list = if list.is_empty() { Ok(Acl::of_mode(dir.mode)) } else { Acl::parse(list) };
        let is_let_in =
            list.is_ok_and(|list| list.allows(SEARCH, dir.uid, dir.gid, uid, |group| self.is_in(group)));
        is_let_in || self.has(Capability::DacOverride) || self.has(Capability::DacReadSearch)
    }
}

/// Reads proc_pid_status(5). None if it speaks of another user than the request does: the thread acts for
/// somebody (nfsd, an overlay), whose groups and capabilities stand nowhere.
fn read(status: &str, who: &Caller) -> Option<Standing> {
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let filesystem_id = |name| field(name)?.split_whitespace().nth(3)?.parse::<u32>().ok();
    if filesystem_id("Uid")? != who.uid || filesystem_id("Gid")? != who.gid {
        return None;
    }
    let groups = field("Groups")?.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let capabilities = u64::from_str_radix(field("CapEff")?.trim(), 16).ok()?;
    Some(Standing { groups, capabilities })
}

/// Capabilities count in the namespace they are of.
fn shares_user_namespace(pid: u32) -> bool {
    let of = |name: String| fs::read_link(format!("/proc/{name}/ns/user")).ok();
    of(pid.to_string()).is_some_and(|theirs| of("self".into()) == Some(theirs))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str =
        "Name:\tsh\nUid:\t0\t0\t0\t7\nGid:\t0\t0\t0\t8\nGroups:\t4 24 \nCapEff:\t0000000000200010\n";

    fn who(uid: u32, gid: u32) -> Caller {
        Caller { uid, gid, ..Caller::default() }
    }

    #[test]
    fn groups_and_capabilities_are_read() {
        let standing = read(STATUS, &who(7, 8)).expect("his own");
        assert!(standing.is_in(24) && !standing.is_in(8));
        assert!(standing.has(Capability::FSetId));
        let without = STATUS.replace("200010", "200000");
        assert!(!read(&without, &who(7, 8)).expect("his own").has(Capability::FSetId));
    }

    #[test]
    fn who_acts_for_another_or_is_unknown_has_nothing() {
        assert_eq!(read(STATUS, &who(0, 8)), None);
        assert_eq!(read(STATUS, &who(7, 0)), None);
        assert_eq!(read("Uid:\t7\n", &who(7, 8)), None);
        let unknown = Standing::of(&Caller { uid: 0, gid: 5, pid: 0, umask: 0 });
        assert_eq!(unknown, Standing { groups: vec![5], capabilities: 0 });
    }

    #[test]
    fn this_thread_is_what_it_is() {
        let id = |name: &str| -> u32 {
            let text = fs::read_to_string("/proc/self/status").expect("/proc");
            let line = text.lines().find(|line| line.starts_with(name)).expect(name).to_owned();
            line.split_whitespace().nth(4).expect(name).parse().expect("a number")
        };
        let me = Caller { uid: id("Uid:"), gid: id("Gid:"), pid: std::process::id(), umask: 0 };
        let effective = fs::read_to_string("/proc/self/status").expect("/proc");
        let line = effective.lines().find_map(|line| line.strip_prefix("CapEff:")).expect("CapEff");
        let expected = u64::from_str_radix(line.trim(), 16).expect("hexadecimal") >> 4 & 1 == 1;
        assert_eq!(Standing::of(&me).has(Capability::FSetId), expected);
    }
}
