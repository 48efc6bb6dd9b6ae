//! The whole tree of both sides, name by name and byte by byte.

use super::world::{File, World};
use hn4_core::vfs::{DirEntry, Vfs};
use std::collections::{BTreeMap, BTreeSet};

/// Files up to this size are compared whole, larger ones where the model has data.
const WHOLE: u64 = 8 << 20;

type Names = BTreeMap<Vec<u8>, (u64, u8)>;

impl World {
    /// Compares everything that can be reached, and the files that are only held.
    pub fn compare_all(&mut self) {
        let mut seen = BTreeSet::new();
        let mut waiting = vec![self.files[0]];
        while let Some(dir) = waiting.pop() {
            let (real, model) = (self.list(&self.fs, dir.real), self.list(&self.model, dir.model));
            let kinds = |names: &Names| -> Vec<(Vec<u8>, u8)> {
                names.iter().map(|(name, (_, kind))| (name.clone(), *kind)).collect()
            };
            if kinds(&real) != kinds(&model) {
                self.fail(&format!(
                    "directory {}: names {:?}, expected {:?}",
                    dir.real,
                    shown(&real),
                    shown(&model)
                ));
            }
            for (name, (number, _)) in &real {
                let model_number = model[name].0;
                if *name == b"." || *name == b".." {
                    continue;
                }
                let found = (self.fs.lookup(dir.real, name), self.model.lookup(dir.model, name));
                let (Ok(attr), Ok(expected)) = found else {
                    self.fail(&format!("lookup {}/{}: {found:?}", dir.real, String::from_utf8_lossy(name)));
                };
                if attr.ino != *number || expected.ino != model_number {
                    self.fail("readdir and lookup name different files");
                }
                self.compare_attributes(&attr, &expected);
                let file =
                    File { real: *number, model: model_number, lookups: 0, kind: attr.mode & libc::S_IFMT };
                if seen.insert(*number) {
                    self.compare_file(file);
                    if file.kind == libc::S_IFDIR {
                        waiting.push(file);
                    }
                }
                if file.kind != libc::S_IFDIR {
                    self.fs.forget(file.real, 1);
                    self.model.forget(file.model, 1);
                }
            }
            if dir.real != 1 {
                self.fs.forget(dir.real, 1);
                self.model.forget(dir.model, 1);
            }
        }
        for file in self.files.clone() {
            let found = (self.fs.getattr(file.real), self.model.getattr(file.model));
            let (Ok(attr), Ok(expected)) = found else {
                self.fail(&format!("getattr {}: {found:?}", file.real));
            };
            self.compare_attributes(&attr, &expected);
            if !seen.contains(&file.real) {
                self.compare_file(file);
            }
        }
    }

    fn compare_file(&mut self, file: File) {
        match file.kind {
            libc::S_IFREG => self.compare_bytes(file),
            libc::S_IFLNK => {
                let targets = (self.fs.readlink(file.real), self.model.readlink(file.model));
                if !matches!(&targets, (Ok(real), Ok(model)) if real == model) {
                    self.fail(&format!("target of {}: {targets:?}", file.real));
                }
            }
            _ => {}
        }
        let names = |list: hn4_core::base::Result<Vec<u8>>| {
            let list = list.unwrap_or_else(|error| self.fail(&format!("listxattr {}: {error}", file.real)));
            list.split(|b| *b == 0).filter(|name| !name.is_empty()).map(<[u8]>::to_vec).collect()
        };
        let real: BTreeSet<Vec<u8>> = names(self.fs.listxattr(file.real));
        let model: BTreeSet<Vec<u8>> = names(self.model.listxattr(file.model));
        if real != model {
            self.fail(&format!("attributes of {}", file.real));
        }
        for name in real {
            let values = (self.fs.getxattr(file.real, &name), self.model.getxattr(file.model, &name));
            if !matches!(&values, (Ok(real), Ok(model)) if real == model) {
                self.fail(&format!("attribute {} of {}", String::from_utf8_lossy(&name), file.real));
            }
        }
    }

    fn compare_bytes(&mut self, file: File) {
        let size = self.model.getattr(file.model).map_or(0, |attr| attr.size);
        if size <= WHOLE {
            return self.look_at(file, 0, size);
        }
        let mut at = 0;
        while let Ok(data) = self.model.seek(file.model, at, hn4_core::vfs::Seek::Data) {
            let end = self.model.seek(file.model, data, hn4_core::vfs::Seek::Hole).unwrap_or(size);
            let from = data.saturating_sub(9000);
            self.look_at(file, from, (end + 9000).min(size) - from);
            at = end;
        }
    }

    /// Names of a directory, listed in pieces of a few names each.
    fn list(&self, fs: &dyn Vfs, dir: u64) -> Names {
        let mut names = Names::new();
        let mut cookie = 0;
        loop {
            let mut left = 1 + names.len() % 7;
            let mut last = None;
            let mut take = |entry: &DirEntry| {
                if left == 0 {
                    return false;
                }
                left -= 1;
                last = Some(entry.cookie);
                if names.insert(entry.name.to_vec(), (entry.ino, entry.kind)).is_some() {
                    self.fail(&format!("readdir {dir}: {} twice", String::from_utf8_lossy(entry.name)));
                }
                true
            };
            if let Err(error) = fs.readdir(dir, cookie, false, &mut take) {
                self.fail(&format!("readdir {dir}: {error}"));
            }
            match last {
                Some(last) => cookie = last,
                None => return names,
            }
        }
    }
}

fn shown(names: &Names) -> Vec<String> {
    names.keys().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}
