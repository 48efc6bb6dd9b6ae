//! The queue over devices that are slow, fail, or watch.

use super::*;
use crate::base::{Code, Error};
use crate::device::testing::{CountingDevice, MemDevice};
use crate::testing::Rng;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn block(byte: u8) -> Arc<BlockBuf> {
    Arc::new(BlockBuf::copy_of(&[byte; BLOCK_SIZE]))
}

fn first_byte(device: &dyn Device, at: u64) -> u8 {
    let mut buf = [0; BLOCK_SIZE];
    device.read(BlockNumber(at), &mut buf).unwrap();
    assert!(buf.iter().all(|&b| b == buf[0]));
    buf[0]
}

/// Holds every write while closed; counts those inside; fails or panics on one block.
struct Gate {
    inner: MemDevice,
    open: Mutex<bool>,
    changed: Condvar,
    inside: AtomicUsize,
    most_inside: AtomicUsize,
    overlap: AtomicBool,
    active: Mutex<Vec<(u64, u64)>>,
    bad_block: Option<u64>,
    panics: bool,
    at_once: usize,
    writers: Mutex<Vec<std::thread::ThreadId>>,
}

impl Gate {
    fn new(open: bool) -> Gate {
        Gate {
            inner: MemDevice::new(10_000),
            open: Mutex::new(open),
            changed: Condvar::new(),
            inside: AtomicUsize::new(0),
            most_inside: AtomicUsize::new(0),
            overlap: AtomicBool::new(false),
            active: Mutex::new(Vec::new()),
            bad_block: None,
            panics: false,
            at_once: 1,
            writers: Mutex::default(),
        }
    }
    fn open(&self) {
        *self.open.lock() = true;
        self.changed.notify_all();
    }
    fn pass(&self, at: u64, blocks: u64, then: impl FnOnce() -> Result<()>) -> Result<()> {
        {
            let mut active = self.active.lock();
            let meets = active.iter().any(|&(start, len)| start < at + blocks && at < start + len);
            self.overlap.fetch_or(meets, Ordering::SeqCst);
            active.push((at, blocks));
        }
        self.writers.lock().push(std::thread::current().id());
        let now = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_inside.fetch_max(now, Ordering::SeqCst);
        let mut open = self.open.lock();
        while !*open {
            self.changed.wait(&mut open);
        }
        drop(open);
        std::thread::yield_now();
        let bad = self.bad_block.is_some_and(|bad| (at..at + blocks).contains(&bad));
        assert!(!(bad && self.panics), "asked to");
        let result = if bad { Err(Error::new(Code::Io, "bad block")) } else { then() };
        self.active.lock().retain(|&(start, _)| start != at);
        self.inside.fetch_sub(1, Ordering::SeqCst);
        result
    }
}

impl Device for Gate {
    fn block_count(&self) -> u64 {
        self.inner.block_count()
    }
    fn read(&self, at: BlockNumber, buf: &mut [u8]) -> Result<()> {
        self.inner.read(at, buf)
    }
    fn write(&self, at: BlockNumber, buf: &[u8]) -> Result<()> {
        self.pass(at.0, (buf.len() / BLOCK_SIZE) as u64, || self.inner.write(at, buf))
    }
    fn write_vectored(&self, at: BlockNumber, bufs: &[&[u8]]) -> Result<()> {
        let blocks = bufs.iter().map(|b| b.len() / BLOCK_SIZE).sum::<usize>() as u64;
        self.pass(at.0, blocks, || self.inner.write_vectored(at, bufs))
    }
    fn writes_at_once(&self) -> usize {
        self.at_once
    }
    fn flush(&self) -> Result<()> {
        Ok(())
    }
    fn discard(&self, _: BlockNumber, _: u64) -> Result<()> {
        Ok(())
    }
    fn read_only(&self) -> bool {
        false
    }
}

#[test]
fn everything_submitted_is_written_in_the_order_of_each_block() {
    for seed in 0..20 {
        let mut rng = Rng::new(seed);
        let at_once = if seed % 2 == 0 { 1 } else { 1 + rng.below(70) as usize };
        let device = Arc::new(Gate { at_once, ..Gate::new(true) });
        let queue = IoQueue::with_depth(device.clone(), 4).unwrap();
        let mut model = vec![0u8; 400];
        let mut tickets = Vec::new();
        for _ in 0..300 {
            let at = rng.below(380) as usize;
            let count = 1 + rng.below(20) as usize;
            let byte = rng.next_u64() as u8;
            model[at..at + count].fill(byte);
            let at = BlockNumber(at as u64);
            let ticket = match rng.below(3) {
                0 => queue.submit_run(at, (0..count).map(|_| block(byte)).collect()),
                1 => {
                    let mut buf = AlignedBuf::zeroed(count);
                    buf.fill(byte);
                    queue.submit(at, WriteBuf::Owned(buf))
                }
                _ => queue.submit_all(
                    (0..count as u64)
                        .map(|i| Run { at: at.plus(i), bufs: vec![WriteBuf::Block(block(byte))] }),
                ),
            };
            tickets.push(ticket);
            if rng.chance(1, 10) {
                let waited = tickets.swap_remove(rng.below(tickets.len() as u64) as usize);
                queue.wait(waited).unwrap();
            }
        }
        queue.wait_for(&tickets).unwrap();
        for (at, &byte) in model.iter().enumerate() {
            assert_eq!(first_byte(&*device, at as u64), byte, "seed {seed}, block {at}");
        }
        assert!(!device.overlap.load(Ordering::SeqCst), "seed {seed}");
    }
}

#[test]
fn several_writes_are_under_way_at_once() {
    let device = Arc::new(Gate::new(false));
    let queue = IoQueue::with_depth(device.clone(), 4).unwrap();
    for i in 0..4 {
        queue.submit(BlockNumber(i * 10), WriteBuf::Block(block(1)));
    }
    while device.inside.load(Ordering::SeqCst) < 4 {
        std::thread::yield_now();
    }
    device.open();
    queue.barrier().unwrap();
    assert_eq!(device.most_inside.load(Ordering::SeqCst), 4);
}

#[test]
fn what_is_submitted_for_a_caller_who_waits_is_left_for_it() {
    let device = Arc::new(Gate { at_once: 64, ..Gate::new(true) });
    let queue = IoQueue::with_depth(device.clone(), 4).unwrap();
    let scattered = |first: u64, count: u64| {
        (0..count).map(move |n| Run { at: BlockNumber(first + n * 2), bufs: vec![WriteBuf::Block(block(2))] })
    };
    let caller = std::thread::current().id();
    // A thread that has just started looks for work once; then all sleep.
    let alone = (0..1000).any(|_| {
        std::thread::yield_now();
        device.writers.lock().clear();
        queue.wait(queue.submit_soon(scattered(0, 40))).unwrap();
        device.writers.lock().iter().all(|writer| *writer == caller)
    });
    assert!(alone && first_byte(&*device, 78) == 2);
    device.writers.lock().clear();
    // More than one call takes: the rest is handed out.
    let more = queue.submit_soon(scattered(100, 300));
    queue.start();
    while device.writers.lock().len() < 300 {
        std::thread::yield_now();
    }
    queue.wait(more).unwrap();
    assert!(
        device.writers.lock().iter().all(|writer| *writer != caller),
        "nobody waited while it was written"
    );
}

#[test]
fn adjacent_blocks_leave_together_up_to_a_mebibyte() {
    let device = Arc::new(CountingDevice::new(Arc::new(MemDevice::new(4096))));
    let queue = IoQueue::with_depth(device.clone(), 1).unwrap();
    queue.submit_run(BlockNumber(1), (0..1000).map(|i| block(i as u8)).collect());
    queue.flush().unwrap();
    assert_eq!((device.counts().writes, device.counts().flushes), (4, 1));
    assert_eq!(first_byte(&*device, 1000), (999 % 256) as u8);

    let before = device.counts();
    let pages =
        (0..600u64).rev().map(|i| Run { at: BlockNumber(2000 + i), bufs: vec![WriteBuf::Block(block(3))] });
    let mut pages: Vec<Run> = pages.collect();
    pages.sort_by_key(|run| run.at);
    queue.write_all(pages).unwrap();
    assert_eq!(device.counts().since(before).writes, 3);
    assert!((2000..2600).all(|at| first_byte(&*device, at) == 3));
}

#[test]
fn a_second_write_of_a_block_waits_for_the_first() {
    let device = Arc::new(Gate::new(false));
    let queue = Arc::new(IoQueue::with_depth(device.clone(), 4).unwrap());
    queue.submit(BlockNumber(5), WriteBuf::Block(block(1)));
    let second = {
        let queue = Arc::clone(&queue);
        std::thread::spawn(move || {
            let ticket = queue.submit_run(BlockNumber(4), vec![block(2), block(2)]);
            queue.wait(ticket).unwrap();
        })
    };
    while device.inside.load(Ordering::SeqCst) < 1 {
        std::thread::yield_now();
    }
    device.open();
    second.join().unwrap();
    assert_eq!(first_byte(&*device, 5), 2);
    assert!(!device.overlap.load(Ordering::SeqCst));
}

#[test]
fn the_first_error_is_kept_and_nothing_more_is_written() {
    let mut gate = Gate::new(true);
    gate.bad_block = Some(50);
    let device = Arc::new(gate);
    let queue = IoQueue::with_depth(device.clone(), 2).unwrap();
    let good = queue.submit(BlockNumber(1), WriteBuf::Block(block(1)));
    queue.wait(good).unwrap();
    let bad = queue.submit(BlockNumber(50), WriteBuf::Block(block(1)));
    assert_eq!(queue.wait(bad).unwrap_err().detail(), "bad block");
    let later = queue.submit(BlockNumber(60), WriteBuf::Block(block(1)));
    for result in [queue.wait(later), queue.wait(good), queue.barrier(), queue.flush(), queue.error()] {
        assert_eq!(result.unwrap_err().detail(), "bad block");
    }
    assert_eq!((first_byte(&*device, 1), first_byte(&*device, 60)), (1, 0));
}

#[test]
fn an_error_releases_those_who_wait_for_queued_writes() {
    let mut gate = Gate::new(false);
    gate.bad_block = Some(0);
    let device = Arc::new(gate);
    let queue = IoQueue::with_depth(device.clone(), 1).unwrap();
    let tickets: Vec<Ticket> =
        (0..500).map(|i| queue.submit(BlockNumber(i * 3), WriteBuf::Block(block(1)))).collect();
    device.open();
    assert!(queue.wait_for(&tickets).is_err());
    assert!(queue.barrier().is_err());
}

#[test]
fn a_panicking_device_is_an_error_not_a_hang() {
    let mut gate = Gate::new(true);
    gate.bad_block = Some(3);
    gate.panics = true;
    let queue = IoQueue::with_depth(Arc::new(gate), 2).unwrap();
    let ticket = queue.submit(BlockNumber(3), WriteBuf::Block(block(1)));
    assert!(queue.wait(ticket).unwrap_err().detail().contains("panicked"));
}

#[test]
fn a_bad_range_or_length_is_an_error_of_the_device() {
    let queue = IoQueue::new(Arc::new(MemDevice::new(10))).unwrap();
    let nothing = queue.submit_run(BlockNumber(u64::MAX), vec![]);
    queue.wait(nothing).unwrap();
    queue.submit_run(BlockNumber(u64::MAX), vec![block(1), block(2)]);
    assert_eq!(queue.barrier().unwrap_err().code, Code::InvalidArgument);
}

#[test]
fn dropping_the_queue_finishes_what_was_submitted() {
    let device = Arc::new(MemDevice::new(2000));
    let queue = IoQueue::new(device.clone()).unwrap();
    for i in 0..2000 {
        queue.submit(BlockNumber(i), WriteBuf::Block(block(7)));
    }
    drop(queue);
    assert!((0..2000).all(|at| first_byte(&*device, at) == 7));
}

#[test]
fn a_shared_buffer_can_be_read_while_it_is_written() {
    let device = Arc::new(Gate::new(false));
    let queue = IoQueue::new(device.clone()).unwrap();
    let mut page = block(1);
    queue.submit(BlockNumber(0), WriteBuf::Block(Arc::clone(&page)));
    assert_eq!(page[0], 1);
    Arc::make_mut(&mut page).fill(2);
    device.open();
    queue.barrier().unwrap();
    assert_eq!((first_byte(&*device, 0), page[0]), (1, 2));
    let ticket = queue.submit(BlockNumber(1), WriteBuf::Block(Arc::clone(&page)));
    queue.wait(ticket).unwrap();
    assert!(Arc::get_mut(&mut page).is_some(), "the queue has let go of what it wrote");
}
