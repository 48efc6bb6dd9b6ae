//! Steps of recovery, and the rules of the world that every recovery must keep.

use crate::disk::{AT_CHECK, AT_PAGE, AT_RING, Cell, Check, Disk, FILES, RING, Record, ring_cell};
use crate::state::{Home, Link, Name, Phase, Plan, Rules, State, Step, Writer};

/// Steps of a volume that is not mounted yet.
pub fn steps(state: &State, rules: &Rules, out: &mut Vec<Step>) {
    let mut next = state.clone();
    match &state.phase {
        Phase::Off => {
            if rules.first_flush {
                next.disk.flush();
            }
            next.phase = Phase::Flushed;
            let name = if rules.first_flush { "recovery: flush" } else { "recovery" };
            out.push((Name(name, [0; 3]), Ok(next)));
        }
        Phase::Flushed => out.push(read_log(next, rules)),
        Phase::Recovering(done, plan) => {
            let name = take_step(&mut next, *done, plan, rules);
            out.push((name, Ok(next)));
        }
        Phase::Running(_) | Phase::Refused => {}
    }
}

fn read_log(mut next: State, rules: &Rules) -> Step {
    match choose(&next, rules) {
        Ok(plan) => {
            let name = Name("recovery: {} is the last transaction", [plan.last.txn, 0, 0]);
            match judge(&next, &plan) {
                Ok(()) => {
                    next.phase = Phase::Recovering(0, plan);
                    (name, Ok(next))
                }
                Err(broken) => (name, Err(broken)),
            }
        }
        Err(damage) => {
            let name = Name("recovery: refuses the volume", [0; 3]);
            next.phase = Phase::Refused;
            let allowed = next.world.rotted;
            (name, if allowed { Ok(next) } else { Err(format!("a sound volume is refused: {damage}")) })
        }
    }
}

fn take_step(next: &mut State, done: u8, plan: &Plan, rules: &Rules) -> Name {
    let epoch = plan.check.epoch + u8::from(rules.epochs);
    let epoch_txn = plan.last.txn + 1;
    let chosen = Check {
        generation: plan.check.generation + 1,
        epoch,
        epoch_txn,
        tail_epoch: if plan.check.tail_txn < epoch_txn {
            epoch_of(&plan.check, plan.check.tail_txn)
        } else {
            epoch
        },
        proven: plan.last.txn,
        ..plan.check
    };
    let over = Check {
        generation: plan.check.generation + 2,
        tail_txn: epoch_txn,
        tail_serial: plan.last.serial,
        tail_epoch: epoch,
        ..chosen
    };
    let check_cell = |check: &Check| AT_CHECK + usize::from(check.generation % 2);
    let name = match done {
        0 => {
            next.disk.write(check_cell(&chosen), Cell::Check(chosen));
            "recovery: write checkpoint block, new epoch"
        }
        2 | 4 => {
            let copy = usize::from(plan.copies[usize::from(done / 2 - 1)]);
            next.disk.write(AT_PAGE + copy, Cell::Page(plan.last.image));
            ["recovery: write copy A", "recovery: write copy B"][copy]
        }
        6 => {
            next.disk.write(check_cell(&over), Cell::Check(over));
            "recovery: write checkpoint block, tail at the end"
        }
        _ => {
            next.disk.flush();
            "recovery: flush"
        }
    };
    next.phase = Phase::Recovering(done + 1, *plan);
    if done == 7 {
        for serial in 0..next.world.images.len() as u8 {
            if !next.world.is_before_or_same(serial, plan.last.serial) {
                next.world.forgotten |= 1 << serial;
            }
        }
        // An answer that rot took back was reported; the world goes on from here.
        next.world.answered = plan.last.serial;
        next.phase = Phase::Running(Writer {
            check: over,
            check_waits: false,
            kept_txn: over.tail_txn,
            proven: plan.last,
            submitted: Vec::new(),
            in_flight: 0,
            staged: None,
            home: Home::Idle,
            going_home: plan.last,
        });
    }
    Name(name, [0; 3])
}

fn epoch_of(check: &Check, txn: u8) -> u8 {
    if txn < check.epoch_txn { check.tail_epoch } else { check.epoch }
}

/// What a reader finds: the last transaction that exists, and the files after it. Error: damage.
fn choose(state: &State, rules: &Rules) -> Result<Plan, String> {
    let disk = &state.disk;
    let checks = [disk.read(AT_CHECK), disk.read(AT_CHECK + 1)];
    let best = checks.iter().filter_map(|cell| match cell {
        Cell::Check(check) => Some(*check),
        _ => None,
    });
    let check = best.max_by_key(|check| check.generation).ok_or("no checkpoint block")?;
    let mut records = Vec::new();
    let mut previous = check.tail_serial;
    while records.len() < RING
        && let Some(record) = record_at(disk, check.tail_txn + records.len() as u8)
    {
        let txn = check.tail_txn + records.len() as u8;
        let of_epoch = !rules.epochs || record.epoch == epoch_of(&check, txn);
        if record.txn != txn || record.previous != previous || !of_epoch {
            break;
        }
        previous = record.serial;
        records.push(record);
    }
    let last = check.tail_txn + records.len() as u8 - 1;
    if last < check.proven {
        return Err(format!("{} is proven and missing", check.proven));
    }
    let later = (AT_RING..AT_RING + RING).any(|at| match disk.read(at) {
        Cell::Record(record) => record.txn > last && (!rules.epochs || record.epoch >= check.epoch),
        _ => false,
    });
    if later && rules.epochs {
        return Err("a later record".into());
    }
    if let Some(record) = records.last()
        && last > check.proven
        && !holds(disk, record.entry.block, record.file, record.entry.version)
    {
        records.pop();
    }
    let base = match (disk.read(AT_PAGE), disk.read(AT_PAGE + 1)) {
        (Cell::Page(image), _) | (_, Cell::Page(image)) => image,
        _ => return Err("no copy of the page".into()),
    };
    let mut last = Link { txn: check.tail_txn - 1, serial: check.tail_serial, image: base };
    for record in records {
        last.txn = record.txn;
        last.serial = record.serial;
        last.image[usize::from(record.file)] = record.entry;
    }
    // Overwriting the only good copy would leave none if the power fails again.
    let only_a = rules.bad_copy_first && disk.read(AT_PAGE + 1) == Cell::Bad;
    Ok(Plan { check, last, copies: if only_a { [1, 0] } else { [0, 1] } })
}

fn record_at(disk: &Disk, txn: u8) -> Option<Record> {
    match disk.read(ring_cell(txn)) {
        Cell::Record(record) => Some(record),
        _ => None,
    }
}

fn holds(disk: &Disk, block: u8, file: u8, version: u8) -> bool {
    disk.read(usize::from(block)) == Cell::Data { file, version }
}

/// What must hold of everything a recovery shows.
fn judge(state: &State, plan: &Plan) -> Result<(), String> {
    let world = &state.world;
    let serial = plan.last.serial;
    if world.forgotten & (1 << serial) != 0 {
        return Err("a transaction that an earlier recovery had dropped came back".into());
    }
    let kept = world.is_before_or_same(world.answered, serial);
    // Rot of the last record or its data takes this one transaction, and it is reported.
    let last_rotted = world.rotted && world.parents[usize::from(world.answered)] == serial;
    if !kept && !last_rotted {
        return Err("data whose fsync was answered is lost".into());
    }
    if plan.last.image != world.images[usize::from(serial)] {
        return Err("the files are not as after any transaction".into());
    }
    for file in 0..FILES {
        let entry = plan.last.image[file];
        let found = state.disk.read(usize::from(entry.block));
        if entry.version == 0 || found == (Cell::Data { file: file as u8, version: entry.version }) {
            continue;
        }
        if !(world.rotted && found == Cell::Bad) {
            return Err(format!("file {file} version {} has foreign bytes: {found:?}", entry.version));
        }
    }
    Ok(())
}
