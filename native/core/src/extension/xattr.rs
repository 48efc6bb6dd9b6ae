//! The payload of extended attributes: entries of name and value, one after another.
//!
//! A payload passed in was checked by [`check`] (as [`super::Chain::read`] does); one that was not
//! gives wrong answers, never a panic.

use super::record::XATTR_PAYLOAD_MAX;
use crate::base::{Code, Error, Result};

/// Name length, three zeros, value length.
const HEADER: usize = 8;
/// Bytes of a name. XATTR_NAME_MAX, linux/limits.h.
pub const NAME_MAX: usize = 255;
/// Bytes of a value. XATTR_SIZE_MAX, linux/limits.h.
pub const VALUE_MAX: usize = 65536;
/// Bytes of all names, each with a NUL. XATTR_LIST_MAX, linux/limits.h.
pub const LIST_MAX: usize = 65536;

/// Fail if the name exists. linux/xattr.h.
pub const XATTR_CREATE: u32 = 1;
/// Fail if the name does not exist. linux/xattr.h.
pub const XATTR_REPLACE: u32 = 2;

/// One attribute and where it stands.
struct Attribute<'a> {
    name: &'a [u8],
    value: &'a [u8],
    start: usize,
    end: usize,
}

/// Entries until the end or the first that breaks a rule.
struct Walk<'a> {
    payload: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Walk<'a> {
    type Item = std::result::Result<Attribute<'a>, &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at;
        let rest = self.payload.get(start..).filter(|rest| !rest.is_empty())?;
        self.at = usize::MAX;
        let Some((header, rest)) = rest.split_at_checked(HEADER) else {
            return Some(Err("XATTR: an entry is cut off"));
        };
        let name_length = usize::from(header[0]);
        let value_length = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        if header[1..4] != [0; 3] || name_length == 0 || value_length > VALUE_MAX {
            return Some(Err("XATTR: header of an entry out of range"));
        }
        let Some((name, rest)) = rest.split_at_checked(name_length) else {
            return Some(Err("XATTR: a name is cut off"));
        };
        let Some(value) = rest.get(..value_length) else {
            return Some(Err("XATTR: a value is cut off"));
        };
        if name.contains(&0) {
            return Some(Err("XATTR: a name holds NUL"));
        }
        let end = start + HEADER + name_length + value_length;
        self.at = end;
        Some(Ok(Attribute { name, value, start, end }))
    }
}

fn walk(payload: &[u8]) -> Walk<'_> {
    Walk { payload, at: 0 }
}

fn find<'a>(payload: &'a [u8], name: &[u8]) -> Option<Attribute<'a>> {
    walk(payload).map_while(std::result::Result::ok).find(|attribute| attribute.name == name)
}

/// Checks a payload: every entry in bounds, names unique. The error is the rule it breaks.
pub fn check(payload: &[u8]) -> std::result::Result<(), &'static str> {
    let mut names = std::collections::HashSet::new();
    for attribute in walk(payload) {
        if !names.insert(attribute?.name) {
            return Err("XATTR: a name stands twice");
        }
    }
    Ok(())
}

/// The value of `name`.
pub fn get<'a>(payload: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    find(payload, name).map(|attribute| attribute.value)
}

/// All names, each followed by NUL, in the order they were entered.
pub fn list(payload: &[u8]) -> Vec<u8> {
    let mut names = Vec::new();
    for attribute in walk(payload).map_while(std::result::Result::ok) {
        names.extend_from_slice(attribute.name);
        names.push(0);
    }
    names
}

/// The payload with `name` set to `value`. `flags`: XATTR_CREATE or XATTR_REPLACE.
///
/// Errors: `RangeTooSmall` (a name of 0 or more than 255 bytes), `InvalidArgument` (NUL in the name,
/// unknown flags), `TooBig` (value), `Exists`, `NoAttribute`, `NoSpace` (all names above 65,536
/// bytes, or the payload above 1 MiB).
pub fn set(payload: &[u8], name: &[u8], value: &[u8], flags: u32) -> Result<Vec<u8>> {
    if name.is_empty() || name.len() > NAME_MAX {
        return Err(Code::RangeTooSmall.into());
    }
    if name.contains(&0) || flags & !(XATTR_CREATE | XATTR_REPLACE) != 0 {
        return Err(Code::InvalidArgument.into());
    }
    if value.len() > VALUE_MAX {
        return Err(Code::TooBig.into());
    }
    let old = find(payload, name);
    let (start, end) = match &old {
        Some(_) if flags & XATTR_CREATE != 0 => return Err(Code::Exists.into()),
        None if flags & XATTR_REPLACE != 0 => return Err(Code::NoAttribute.into()),
        Some(old) => (old.start, old.end),
        None => (payload.len(), payload.len()),
    };
    let size = payload.len() - (end - start) + HEADER + name.len() + value.len();
    if size > XATTR_PAYLOAD_MAX {
        return Err(Error::new(Code::NoSpace, "extended attributes of a file: more than 1 MiB"));
    }
    if old.is_none() && list(payload).len() + name.len() + 1 > LIST_MAX {
        return Err(Error::new(Code::NoSpace, "extended attributes of a file: more than 64 KiB of names"));
    }
    let mut new = Vec::with_capacity(size);
    new.extend_from_slice(&payload[..start]);
    new.extend_from_slice(&[name.len() as u8, 0, 0, 0]);
    new.extend_from_slice(&(value.len() as u32).to_le_bytes());
    new.extend_from_slice(name);
    new.extend_from_slice(value);
    new.extend_from_slice(&payload[end..]);
    Ok(new)
}

/// The payload without `name`. Error: `NoAttribute`.
pub fn remove(payload: &[u8], name: &[u8]) -> Result<Vec<u8>> {
    let Some(old) = find(payload, name) else { return Err(Code::NoAttribute.into()) };
    Ok([&payload[..old.start], &payload[old.end..]].concat())
}
