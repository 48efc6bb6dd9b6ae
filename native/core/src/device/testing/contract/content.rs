//! What a device holds after writes, flushes and discards.

use super::make::{Make, numbered, read};
use crate::base::{AlignedBuf, BLOCK_SIZE, BlockNumber};
use crate::device::BlockWrite;
use crate::testing::Rng;

/// Bytes of a block.
const B: usize = BLOCK_SIZE;

pub fn size_is_fixed(make: Make) {
    for blocks in [4, 37] {
        let (device, _) = numbered(make, blocks);
        assert_eq!(device.block_count(), blocks);
        assert!(!device.read_only());
        device.flush().unwrap();
        device.discard(BlockNumber(0), blocks).unwrap();
        assert_eq!(device.block_count(), blocks);
    }
}

pub fn reads_see_writes(make: Make) {
    let (device, mut model) = numbered(make, 700);
    assert!(read(&*device, 0, 700) == model, "the whole device at once");
    for (at, count) in [(0, 1), (699, 1), (3, 2), (15, 2), (200, 400), (200, 400), (350, 7)] {
        let data = Rng::new(at ^ count).bytes(count * B as u64);
        device.write(BlockNumber(at), &data).unwrap();
        model[at as usize * B..][..data.len()].copy_from_slice(&data);
        assert!(read(&*device, at, count as usize) == data, "blocks {at} and {count} on");
        assert!(read(&*device, 0, 700) == model, "around blocks {at} and {count} on");
    }
    for empty in [0, 350, 700] {
        device.write(BlockNumber(empty), &[]).unwrap();
        device.read(BlockNumber(empty), &mut []).unwrap();
    }
    assert!(read(&*device, 0, 700) == model);
}

pub fn many_buffers(make: Make) {
    let (device, mut model) = numbered(make, 3000);
    // More than one system call takes (1024), of one block each, and some of none.
    let data = AlignedBuf::copy_of(&Rng::new(5).bytes(2500 * B as u64));
    let mut parts: Vec<&[u8]> = data.chunks(B).collect();
    parts.insert(0, &[]);
    parts.insert(1700, &[]);
    parts.push(&[]);
    device.write_vectored(BlockNumber(100), &parts).unwrap();
    model[100 * B..2600 * B].copy_from_slice(&data);
    assert!(read(&*device, 0, 3000) == model, "one block each");
    let (first, rest) = data.split_at(B);
    let (second, rest) = rest.split_at(600 * B);
    device.write_vectored(BlockNumber(2), &[second, first, &rest[..3 * B]]).unwrap();
    model[2 * B..602 * B].copy_from_slice(second);
    model[602 * B..603 * B].copy_from_slice(first);
    model[603 * B..606 * B].copy_from_slice(&rest[..3 * B]);
    assert!(read(&*device, 0, 3000) == model, "of different lengths");
    device.write_vectored(BlockNumber(0), &[]).unwrap();
    device.write_vectored(BlockNumber(3000), &[&[], &[]]).unwrap();
    assert!(read(&*device, 0, 3000) == model, "of no bytes");
}

pub fn many_writes(make: Make) {
    let (device, mut model) = numbered(make, 3000);
    let mut memory = AlignedBuf::zeroed(1501);
    for (round, shift) in [0, 0, 512, 1].into_iter().enumerate() {
        let data = Rng::new(round as u64).bytes(1500 * B as u64);
        memory[shift..shift + 1500 * B].copy_from_slice(&data);
        // Scattered single blocks, then runs: of none, and of more buffers than one system call takes.
        let mut blocks = memory[shift..shift + 1500 * B].chunks(B);
        let lengths = [vec![1; 150], vec![0, 3, 100, 1030, 7]].concat();
        let parts: Vec<Vec<&[u8]>> = lengths.iter().map(|&n| blocks.by_ref().take(n).collect()).collect();
        let mut at = 5 + round as u64;
        let mut writes = Vec::new();
        for bufs in &parts {
            writes.push(BlockWrite { at: BlockNumber(at), bufs });
            for (buf, block) in bufs.iter().zip(at as usize..) {
                model[block * B..(block + 1) * B].copy_from_slice(buf);
            }
            at += bufs.len() as u64 + 2;
        }
        writes.reverse();
        device.write_many(&writes).unwrap();
        assert!(read(&*device, 0, 3000) == model, "from an address of {shift}");
    }
    device.write_many(&[]).unwrap();
    assert!(device.writes_at_once() > 0);
}

pub fn any_address(make: Make) {
    let (device, _) = numbered(make, 64);
    let mut memory = AlignedBuf::zeroed(8);
    for shift in [0, 1, 8, 511, 512, 2048, 4095] {
        let data = Rng::new(shift as u64).bytes(6 * B as u64);
        memory[shift..shift + 6 * B].copy_from_slice(&data);
        device.write(BlockNumber(1), &memory[shift..shift + 6 * B]).unwrap();
        let (first, second) = memory[shift..shift + 6 * B].split_at(2 * B);
        device.write_vectored(BlockNumber(20), &[first, second]).unwrap();
        for at in [1, 20] {
            assert!(read(&*device, at, 6) == data, "written from an address of {shift}");
            memory.fill(0);
            device.read(BlockNumber(at), &mut memory[shift..shift + 6 * B]).unwrap();
            assert!(memory[shift..shift + 6 * B] == data, "read to an address of {shift}");
            let outside = memory[..shift].iter().chain(&memory[shift + 6 * B..]);
            assert!(outside.into_iter().all(|&byte| byte == 0), "wrote beside the buffer");
        }
    }
}

pub fn flushes(make: Make) {
    let device = make(32);
    device.flush().unwrap();
    let data = Rng::new(9).bytes(32 * B as u64);
    device.write(BlockNumber(0), &data).unwrap();
    for _ in 0..2 {
        device.flush().unwrap();
        assert!(read(&*device, 0, 32) == data);
    }
}

pub fn discards(make: Make) {
    let (device, model) = numbered(make, 200);
    for (at, count) in [(0, 1), (199, 1), (30, 100), (40, 3), (7, 0), (200, 0)] {
        device.discard(BlockNumber(at), count).unwrap();
        let after = read(&*device, 0, 200);
        let spared = [1..30, 130..199].into_iter().flatten();
        for block in spared {
            assert!(after[block * B..][..B] == model[block * B..][..B], "block {block} after {at} + {count}");
        }
    }
    device.write(BlockNumber(0), &model).unwrap();
    assert!(read(&*device, 0, 200) == model, "written again");
}

/// Every fourth block belongs to a thread, and nobody else writes it.
pub fn threads(make: Make) {
    const THREADS: u64 = 4;
    let (device, _) = numbered(make, 64 * THREADS);
    let device = &*device;
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                let mut rng = Rng::new(thread);
                for round in 0..100 {
                    let at = rng.below(64) * THREADS + thread;
                    let data = rng.bytes(B as u64);
                    device.write(BlockNumber(at), &data).unwrap();
                    if round % 10 == 0 {
                        device.flush().unwrap();
                    }
                    assert!(read(device, at, 1) == data, "thread {thread}, round {round}, block {at}");
                }
            });
        }
    });
}
