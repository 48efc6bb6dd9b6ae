//! Steps of a mounted volume.

use crate::disk::{AT_CHECK, AT_PAGE, BLOCKS, Cell, Check, Entry, FILES, Record, ring_cell};
use crate::state::{Home, Link, Name, Phase, Rules, State, Step, Writer};

/// All steps a running writer can take.
pub fn steps(state: &State, writer: &Writer, rules: &Rules, out: &mut Vec<Step>) {
    let mut step = |name: Name, change: &dyn Fn(&mut State, &mut Writer)| {
        let (mut next, mut writer) = (state.clone(), writer.clone());
        change(&mut next, &mut writer);
        next.phase = Phase::Running(writer);
        out.push((name, Ok(next)));
    };
    if writer.staged.is_none()
        && state.transactions_left > 0
        && let Some(block) = free_block(writer, rules)
    {
        for file in 0..FILES as u8 {
            let version = writer.last().image[usize::from(file)].version + 1;
            step(
                Name("write data: file {} version {} to block {}", [file, version, block]),
                &|next, writer| {
                    next.disk.write(usize::from(block), Cell::Data { file, version });
                    next.transactions_left -= 1;
                    writer.staged = Some((file, version, block));
                },
            );
        }
    }
    if let Some(staged) = writer.staged
        && may_submit(writer, rules)
    {
        let txn = writer.last().txn + 1;
        step(Name("submit record {}", [txn, 0, 0]), &|next, writer| submit(next, writer, staged));
    }
    if writer.in_flight > 0 {
        step(Name("flush, answer fsync of {}", [writer.last().txn, 0, 0]), &|next, writer| {
            next.disk.flush();
            writer.in_flight = 0;
            next.world.answered = writer.last().serial;
            let last = writer.last().txn;
            prove(writer, if rules.flush_is_no_proof { last - 1 } else { last });
        });
    }
    let flushed = writer.submitted.len() - writer.in_flight;
    if flushed > 0 && !writer.check_waits {
        let txn = writer.submitted[flushed - 1].txn;
        step(Name("write checkpoint block: {} is proven", [txn, 0, 0]), &|next, writer| {
            let check = Check { proven: txn, ..writer.check };
            write_check(next, writer, check);
        });
    }
    if writer.check_waits && writer.home != Home::WroteCheck {
        step(Name("flush checkpoint block", [0; 3]), &|next, writer| {
            next.disk.flush();
            writer.check_waits = false;
            prove(writer, writer.check.proven);
        });
    }
    home_step(writer, rules, &mut step);
}

type Change<'a> = &'a dyn Fn(&mut State, &mut Writer);

fn home_step(writer: &Writer, rules: &Rules, step: &mut dyn FnMut(Name, Change<'_>)) {
    let source = if rules.home_after_proof { writer.proven } else { writer.last() };
    let home = writer.going_home;
    match writer.home {
        Home::Idle if source.txn > home.txn => {
            step(Name("write home copy A as after {}", [source.txn, 0, 0]), &|next, writer| {
                next.disk.write(AT_PAGE, Cell::Page(source.image));
                writer.going_home = source;
                writer.home = if rules.copies_apart { Home::WroteA } else { Home::FlushedA };
            });
        }
        Home::Idle => {}
        Home::WroteA => step(Name("flush copy A", [0; 3]), &|next, writer| {
            next.disk.flush();
            writer.home = Home::FlushedA;
        }),
        Home::FlushedA => step(Name("write home copy B as after {}", [home.txn, 0, 0]), &|next, writer| {
            next.disk.write(AT_PAGE + 1, Cell::Page(home.image));
            writer.home = if rules.tail_after_home { Home::WroteB } else { Home::FlushedB };
        }),
        Home::WroteB => step(Name("flush copy B", [0; 3]), &|next, writer| {
            next.disk.flush();
            writer.home = Home::FlushedB;
        }),
        Home::FlushedB if !writer.check_waits => {
            step(Name("write checkpoint block: tail after {}", [home.txn, 0, 0]), &|next, writer| {
                let check = Check {
                    tail_txn: home.txn + 1,
                    tail_serial: home.serial,
                    tail_epoch: writer.check.epoch,
                    proven: writer.proven.txn.max(home.txn),
                    ..writer.check
                };
                write_check(next, writer, check);
                writer.home = Home::WroteCheck;
                if !rules.log_reuse_after_flush {
                    writer.kept_txn = check.tail_txn;
                }
            });
        }
        Home::FlushedB => {}
        Home::WroteCheck => step(Name("flush checkpoint block with the tail", [0; 3]), &|next, writer| {
            next.disk.flush();
            writer.check_waits = false;
            prove(writer, writer.check.proven);
            writer.kept_txn = writer.check.tail_txn;
            writer.home = Home::Idle;
        }),
    }
}

/// The first block that no state the volume may come back to refers to.
fn free_block(writer: &Writer, rules: &Rules) -> Option<u8> {
    let uses = |link: &Link, block: u8| link.image.iter().any(|e| e.version > 0 && e.block == block);
    let last = writer.last();
    (0..BLOCKS as u8).find(|&block| {
        let needed = if rules.reuse_after_proof {
            uses(&writer.proven, block) || writer.submitted.iter().any(|link| uses(link, block))
        } else {
            uses(&last, block)
        };
        !needed
    })
}

fn may_submit(writer: &Writer, rules: &Rules) -> bool {
    let held = writer.last().txn + 1 - writer.kept_txn;
    let alone = writer.in_flight == 0 || (!rules.commits_do_not_overlap && writer.in_flight < 2);
    alone && usize::from(held) < crate::disk::RING
}

fn submit(next: &mut State, writer: &mut Writer, (file, version, block): (u8, u8, u8)) {
    let last = writer.last();
    let serial = next.world.images.len() as u8;
    let entry = Entry { version, block };
    let mut image = last.image;
    image[usize::from(file)] = entry;
    let record =
        Record { epoch: writer.check.epoch, txn: last.txn + 1, serial, previous: last.serial, file, entry };
    next.disk.write(ring_cell(record.txn), Cell::Record(record));
    next.world.images.push(image);
    next.world.parents.push(last.serial);
    writer.submitted.push(Link { txn: record.txn, serial, image });
    writer.in_flight += 1;
    writer.staged = None;
}

fn prove(writer: &mut Writer, txn: u8) {
    while writer.submitted.first().is_some_and(|link| link.txn <= txn) {
        writer.proven = writer.submitted.remove(0);
    }
}

fn write_check(next: &mut State, writer: &mut Writer, check: Check) {
    writer.check = Check { generation: check.generation + 1, ..check };
    writer.check_waits = true;
    next.disk.write(AT_CHECK + usize::from(writer.check.generation % 2), Cell::Check(writer.check));
}
