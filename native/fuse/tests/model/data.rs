//! Operations on contents.

use super::world::{File, WHO, World};
use hn4_core::vfs::{FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, FALLOC_ZERO_RANGE, Seek, SetAttr, Vfs};

impl World {
    fn regular(&mut self) -> Option<File> {
        self.any_of(libc::S_IFREG)
    }

    fn size(&self, file: File) -> u64 {
        self.model.getattr(file.model).map_or(0, |attr| attr.size)
    }

    /// An offset in or near the file, aligned or not, sometimes far behind it.
    fn offset(&mut self, file: File) -> u64 {
        let size = self.size(file);
        let near = size.min(1 << 24) + 1;
        let at = match self.rng.below(20) {
            0 => self.rng.below(1 << 43),
            1 => self.rng.below(1 << 30),
            2 => size + self.rng.below(100_000),
            3..6 => size,
            _ => self.rng.below(near),
        };
        if self.rng.chance(50, 100) { at & !4095 } else { at }
    }

    fn length(&mut self) -> u64 {
        let max = match self.rng.below(4) {
            0 => 40,
            1 => 5000,
            _ => self.kind.write_max,
        };
        let length = 1 + self.rng.below(max);
        if self.rng.chance(30, 100) { length.next_multiple_of(4096) } else { length }
    }

    pub fn write(&mut self) {
        let Some(file) = self.regular() else { return };
        let (offset, length) = (self.offset(file), self.length());
        let kill = self.rng.chance(30, 100);
        let data = self.rng.repeating(length, 997);
        let what = format!("write {} {offset} + {length}", file.real);
        self.both(
            &what,
            |fs| fs.write(file.real, offset, &data, kill),
            |fs| fs.write(file.model, offset, &data, kill),
        );
        self.look_at(file, offset, length);
    }

    pub fn append(&mut self) {
        let Some(file) = self.regular() else { return };
        let length = self.length().min(70_000);
        let data = self.rng.bytes(length);
        let what = format!("append {} {length}", file.real);
        let done = self.both(
            &what,
            |fs| fs.append(file.real, &data, false),
            |fs| fs.append(file.model, &data, false),
        );
        if let Some((real, model)) = done
            && real != model
        {
            self.fail(&format!("appended at {real}, expected {model}"));
        }
        let size = self.size(file);
        self.look_at(file, size.saturating_sub(length), length);
    }

    pub fn truncate(&mut self) {
        let Some(file) = self.regular() else { return };
        let size = match self.rng.below(6) {
            0 => 0,
            1 => self.rng.below(40),
            2 => self.rng.below(1 << 40),
            _ => self.offset(file),
        };
        let before = self.size(file);
        let set = SetAttr { size: Some(size), ..SetAttr::default() };
        let what = format!("truncate {} {before} -> {size}", file.real);
        let done =
            self.both(&what, |fs| fs.setattr(file.real, &set, &WHO), |fs| fs.setattr(file.model, &set, &WHO));
        if let Some((real, model)) = done {
            self.compare_attributes(&real, &model);
        }
        self.look_at(file, before.min(size).saturating_sub(5000), 20_000);
    }

    pub fn fallocate(&mut self) {
        let Some(file) = self.regular() else { return };
        let modes = [
            0,
            FALLOC_KEEP_SIZE,
            FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE,
            FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE,
            FALLOC_ZERO_RANGE,
            FALLOC_ZERO_RANGE | FALLOC_KEEP_SIZE,
            FALLOC_PUNCH_HOLE,
        ];
        let mode = modes[self.rng.below(7) as usize];
        let (offset, length) = (self.offset(file), self.length());
        let what = format!("fallocate {} mode {mode} {offset} + {length}", file.real);
        self.both(
            &what,
            |fs| fs.fallocate(file.real, mode, offset, length),
            |fs| fs.fallocate(file.model, mode, offset, length),
        );
        self.look_at(file, offset.saturating_sub(5000), length + 10_000);
    }

    pub fn copy_range(&mut self) {
        let (Some(from), Some(to)) = (self.regular(), self.regular()) else { return };
        let (from_offset, to_offset, length) = (self.offset(from), self.offset(to), self.length());
        if from_offset >= self.size(from) {
            // Nothing to copy: an error of the target may or may not be noticed.
            return;
        }
        let what = format!("copy {} {from_offset} -> {} {to_offset}, {length}", from.real, to.real);
        // A volume that fills up meanwhile has copied less: the model copies as much.
        let copied = std::cell::Cell::new(length);
        let full = self.kind.full;
        let done = self.both(
            &what,
            |fs| {
                let count = fs.copy_range(from.real, from_offset, to.real, to_offset, length)?;
                copied.set(if full { count } else { length });
                Ok(count)
            },
            |fs| fs.copy_range(from.model, from_offset, to.model, to_offset, copied.get()),
        );
        if let Some((real, model)) = done
            && real != model
        {
            self.fail(&format!("copied {real}, expected {model}"));
        }
        self.look_at(to, to_offset.saturating_sub(5000), length + 10_000);
    }

    pub fn read(&mut self) {
        let Some(file) = self.regular() else { return };
        let (offset, length) = (self.offset(file), self.length());
        self.log(format!("read {} {offset} + {length}", file.real));
        self.look_at(file, offset, length);
    }

    /// Both sides hold the same bytes in a range.
    pub fn look_at(&mut self, file: File, offset: u64, length: u64) {
        let mut real = vec![1; length as usize];
        let mut model = vec![2; length as usize];
        let got = self.fs.read(file.real, offset, &mut real);
        let expected = self.model.read(file.model, offset, &mut model);
        let (got, expected) = match (got, expected) {
            (Ok(got), Ok(expected)) => (got, expected),
            (got, expected) => self.fail(&format!("read {}: {got:?}, expected {expected:?}", file.real)),
        };
        if got != expected {
            self.fail(&format!("read {} at {offset}: {got} bytes, expected {expected}", file.real));
        }
        if let Some(at) = (0..got).find(|&at| real[at] != model[at]) {
            let at = offset + at as u64;
            self.fail(&format!(
                "file {}: byte {at} is {}, expected {}",
                file.real,
                real[(at - offset) as usize],
                model[(at - offset) as usize]
            ));
        }
    }

    /// SEEK_DATA and SEEK_HOLE: no byte that is not zero lies in what they call a hole.
    pub fn seek(&mut self) {
        let Some(file) = self.regular() else { return };
        let (size, offset) = (self.size(file), self.offset(file));
        self.log(format!("seek {} {offset} of {size}", file.real));
        let data = self.fs.seek(file.real, offset, Seek::Data);
        let hole = self.fs.seek(file.real, offset, Seek::Hole);
        if offset >= size {
            let both = [data, hole];
            if both.iter().any(|found| found.as_ref().map_err(|e| e.errno()) != Err(libc::ENXIO)) {
                self.fail(&format!("seek behind the end: {both:?}"));
            }
            return;
        }
        // What the model calls data may read as zeros; only bytes count.
        let next = match data {
            Ok(at) if at >= offset && at < size => at,
            Err(error) if error.errno() == libc::ENXIO => size,
            other => self.fail(&format!("SEEK_DATA from {offset} of {size}: {other:?}")),
        };
        let mut zeros = vec![1; (next - offset).min(1 << 20) as usize];
        let read = self.model.read(file.model, offset, &mut zeros).unwrap_or(0);
        if zeros[..read].iter().any(|byte| *byte != 0) {
            self.fail(&format!("SEEK_DATA skipped bytes from {offset} to {next}"));
        }
        match hole {
            Ok(at) if (offset..=size).contains(&at) && (at == offset) == (next > offset) => {}
            other => self.fail(&format!("SEEK_HOLE from {offset} of {size}: {other:?}, data at {next}")),
        }
    }
}
