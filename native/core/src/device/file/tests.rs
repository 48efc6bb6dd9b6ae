//! FileDevice on every kind of file at hand.

use super::*;
use crate::base::{AlignedBuf, BLOCK_SIZE};
use crate::device::testing::{FaultDevice, RecordingDevice, device_contract, read_only_contract};
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, symlink};
use std::sync::Arc;

fn image(dir: &Path, blocks: u64) -> PathBuf {
    let path = dir.join("disk.img");
    File::create(&path).unwrap().set_len(blocks * BLOCK_SIZE as u64).unwrap();
    path
}

/// The contract on image files in `dir`.
fn image_contract(dir: &Path, direct: bool, rings: bool) {
    device_contract(&|blocks| {
        let how = OpenFile { direct, ..OpenFile::READ_WRITE };
        let mut device = FileDevice::open(&image(dir, blocks), how).unwrap();
        assert!(direct || !device.direct());
        if !rings {
            device.host.forget_rings();
        }
        println!("direct {}, {} writes at once", device.direct(), device.writes_at_once());
        Box::new(device)
    });
}

#[test]
fn an_image_file_keeps_the_contract_with_and_without_the_hosts_cache() {
    let dir = tempfile::tempdir().unwrap();
    image_contract(dir.path(), true, true);
    image_contract(dir.path(), true, false);
    image_contract(dir.path(), false, true);
}

#[test]
fn an_image_on_a_host_with_its_own_manners_keeps_the_contract() {
    let Ok(dir) = tempfile::tempdir_in("/dev/shm") else {
        println!("skipped: no /dev/shm");
        return;
    };
    image_contract(dir.path(), true, true);
}

#[test]
fn odd_addresses_do_not_end_direct_transfers() {
    let dir = tempfile::tempdir().unwrap();
    let device = FileDevice::open(&image(dir.path(), 1000), OpenFile::READ_WRITE).unwrap();
    let before = device.direct();
    let mut memory = AlignedBuf::zeroed(601);
    for shift in [1, 8, 512] {
        let buf = &mut memory[shift..shift + 600 * BLOCK_SIZE];
        device.write(BlockNumber(100), buf).unwrap();
        device.read(BlockNumber(100), buf).unwrap();
        assert_eq!(device.direct(), before, "an address of {shift} went through the bounce buffer");
    }
}

#[test]
fn a_device_opened_read_only_keeps_the_contract_of_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = image(dir.path(), 4);
    fs::write(&path, [7; 4 * BLOCK_SIZE]).unwrap();
    let device = Arc::new(FileDevice::open(&path, OpenFile::READ_ONLY).unwrap());
    read_only_contract(&*device);
    read_only_contract(&RecordingDevice::new(device.clone()));
    read_only_contract(&FaultDevice::new(device));
    assert!(fs::read(&path).unwrap().iter().all(|&b| b == 7));
}

#[test]
fn direct_transfers_that_the_host_refuses_later_go_through_its_cache() {
    let dir = tempfile::tempdir().unwrap();
    let path = image(dir.path(), 100);
    let mut device = FileDevice::open(&path, OpenFile::READ_WRITE).unwrap();
    if !device.direct() {
        println!("skipped: no O_DIRECT in the temporary directory");
        return;
    }
    // Claims that any memory will do, so that the host gets an odd address and answers EINVAL.
    device.host.pretend_any_alignment();
    let mut memory = AlignedBuf::zeroed(3);
    memory.fill(0x5a);
    device.write(BlockNumber(7), &memory[1..1 + BLOCK_SIZE]).unwrap();
    assert!(!device.direct());
    device.read(BlockNumber(7), &mut memory[2 * BLOCK_SIZE - 1..3 * BLOCK_SIZE - 1]).unwrap();
    assert!(memory.iter().all(|&b| b == 0x5a));
    let refused = FileDevice::open(&path, OpenFile::READ_WRITE).unwrap_err();
    assert_eq!(refused.code, Code::Busy, "the lock survived the switch");
}

#[test]
fn many_direct_writes_that_the_host_refuses_go_through_its_cache() {
    let dir = tempfile::tempdir().unwrap();
    let mut device = FileDevice::open(&image(dir.path(), 100), OpenFile::READ_WRITE).unwrap();
    if !device.direct() || device.writes_at_once() == 1 {
        println!("skipped: no O_DIRECT in the temporary directory, or no io_uring");
        return;
    }
    device.host.pretend_any_alignment();
    let mut memory = AlignedBuf::zeroed(3);
    memory.fill(0x5a);
    let odd = &memory[1..1 + BLOCK_SIZE];
    let places: Vec<BlockNumber> = (0..30).map(|n| BlockNumber(n * 3)).collect();
    let bufs = [odd];
    let writes: Vec<BlockWrite<'_>> = places.iter().map(|&at| BlockWrite { at, bufs: &bufs }).collect();
    device.write_many(&writes).unwrap();
    assert!(!device.direct());
    assert_eq!(device.writes_at_once(), 1);
    let mut block = [0; BLOCK_SIZE];
    for at in places {
        device.read(at, &mut block).unwrap();
        assert!(block.iter().all(|&byte| byte == 0x5a));
    }
}

#[test]
fn many_writes_that_fail_say_where_and_why() {
    let dir = tempfile::tempdir().unwrap();
    let path = image(dir.path(), 100);
    let device = FileDevice::open(&path, OpenFile::READ_ONLY).unwrap();
    let block = AlignedBuf::zeroed(1);
    let bufs = [&block[..]];
    let writes = [1, 5].map(|at| BlockWrite { at: BlockNumber(at), bufs: &bufs });
    assert_eq!(device.write_many(&writes).unwrap_err().code, Code::ReadOnly);
    drop(device);
    let device = FileDevice::open(&path, OpenFile::READ_WRITE).unwrap();
    let outside = [1, 100].map(|at| BlockWrite { at: BlockNumber(at), bufs: &bufs });
    assert_eq!(device.write_many(&outside).unwrap_err().code, Code::InvalidArgument);
    // The host refuses a write of this descriptor: as the single write says it.
    let refused = HostFile::new(File::open(&path).unwrap(), true);
    let error = refused.write_many(&writes).unwrap_err();
    assert!(error.detail().contains("offset 4096"), "{error}");
}

#[test]
fn what_is_no_image_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let in_dir = |name: &str| dir.path().join(name);
    fs::write(in_dir("empty"), b"").unwrap();
    fs::write(in_dir("tiny"), [0; BLOCK_SIZE - 1]).unwrap();
    fs::write(in_dir("file"), [0; BLOCK_SIZE]).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(in_dir("socket")).unwrap();
    let status = std::process::Command::new("mkfifo").arg(in_dir("fifo")).status();
    symlink(in_dir("loop"), in_dir("loop")).unwrap();
    let mut cases = vec![
        (in_dir("empty"), Code::InvalidArgument, "0 bytes"),
        (in_dir("tiny"), Code::InvalidArgument, "4095 bytes"),
        (in_dir("missing"), Code::NotFound, "missing"),
        (in_dir("file/below"), Code::NotFound, "below"),
        (in_dir("loop"), Code::Loop, "loop"),
        (in_dir("socket"), Code::InvalidArgument, "a socket"),
        (dir.path().to_path_buf(), Code::InvalidArgument, "a directory"),
        (PathBuf::from("/dev/null"), Code::InvalidArgument, "a character device"),
    ];
    if status.is_ok_and(|s| s.success()) {
        cases.push((in_dir("fifo"), Code::InvalidArgument, "a named pipe"));
    }
    for (path, code, words) in cases {
        let error = FileDevice::open(&path, OpenFile::READ_ONLY).expect_err("refused");
        assert_eq!(error.code, code, "{error}");
        assert!(error.detail().contains(words), "{error}");
    }
}

#[test]
fn a_rest_below_a_block_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("odd.img");
    let mut content = vec![3u8; 2 * BLOCK_SIZE + 777];
    fs::write(&path, &content).unwrap();
    let device = FileDevice::open(&path, OpenFile::READ_WRITE).unwrap();
    assert_eq!(device.block_count(), 2);
    device.write(BlockNumber(1), &[4; BLOCK_SIZE]).unwrap();
    assert_eq!(device.write(BlockNumber(2), &[4; BLOCK_SIZE]).unwrap_err().code, Code::InvalidArgument);
    drop(device);
    content[BLOCK_SIZE..2 * BLOCK_SIZE].fill(4);
    assert!(fs::read(&path).unwrap() == content);
}

#[test]
fn discarding_gives_space_back_and_keeps_the_size() {
    let dir = tempfile::tempdir().unwrap();
    let path = image(dir.path(), 512);
    let device = FileDevice::open(&path, OpenFile::READ_WRITE).unwrap();
    device.write(BlockNumber(0), &vec![9; 512 * BLOCK_SIZE]).unwrap();
    device.flush().unwrap();
    device.discard(BlockNumber(128), 256).unwrap();
    let mut back = vec![0; 512 * BLOCK_SIZE];
    device.read(BlockNumber(0), &mut back).unwrap();
    assert!([0, 127, 384, 511].iter().all(|&block: &usize| back[block * BLOCK_SIZE] == 9));
    let stat = fs::metadata(&path).unwrap();
    assert_eq!(stat.size(), 512 * BLOCK_SIZE as u64);
    if back[128 * BLOCK_SIZE] == 9 {
        println!("this host punches no holes");
    } else {
        assert!(stat.blocks() * 512 <= 300 * BLOCK_SIZE as u64);
    }
}

#[test]
fn an_image_cut_short_underneath_gives_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = image(dir.path(), 16);
    let device = FileDevice::open(&path, OpenFile::READ_ONLY).unwrap();
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(10 * BLOCK_SIZE as u64 + 100).unwrap();
    let error = device.read(BlockNumber(8), &mut [0; 4 * BLOCK_SIZE]).unwrap_err();
    assert_eq!(error.code, Code::Io);
    assert!(error.detail().contains("offset 32768"), "{error}");
}

#[test]
fn a_dropped_device_is_free_although_a_child_still_shares_the_open_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = image(dir.path(), 4);
    let device = FileDevice::open(&path, OpenFile::READ_WRITE).unwrap();
    let shared = device.host.file().try_clone().unwrap();
    let mut child = std::process::Command::new("sleep").arg("60").stdin(shared).spawn().unwrap();
    drop(device);
    let opened = FileDevice::open(&path, OpenFile::READ_WRITE);
    child.kill().unwrap();
    child.wait().unwrap();
    opened.unwrap();
}

#[test]
fn what_others_do_to_the_image_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = image(dir.path(), 16);
    let device = FileDevice::open(&path, OpenFile::READ_WRITE).unwrap();
    let quiet = Outside::default();
    device.write(BlockNumber(3), &[7; BLOCK_SIZE]).unwrap();
    device.flush().unwrap();
    assert_eq!(device.outside(false).unwrap(), quiet, "our own transfers");
    assert!(device.outside(true).unwrap().touched);
    let touched = Outside { touched: true, ..quiet };
    let writer = fs::OpenOptions::new().write(true).open(&path).unwrap();
    assert_eq!(device.outside(false).unwrap(), touched);
    drop(writer);
    assert_eq!(device.outside(false).unwrap(), touched, "closed after it could write");
    assert_eq!(device.outside(false).unwrap(), quiet, "said once");
    let elsewhere = dir.path().join("elsewhere.img");
    fs::rename(&path, &elsewhere).unwrap();
    assert_eq!(device.outside(false).unwrap(), Outside { moved: true, ..quiet });
    fs::rename(&elsewhere, &path).unwrap();
    assert_eq!(device.outside(false).unwrap(), quiet);
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(15 * BLOCK_SIZE as u64).unwrap();
    assert!(device.outside(false).unwrap_err().detail().contains("was cut to 61440 bytes"));
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(16 * BLOCK_SIZE as u64).unwrap();
    device.outside(false).unwrap();
    fs::write(&elsewhere, [0; 16 * BLOCK_SIZE]).unwrap();
    fs::rename(&elsewhere, &path).unwrap();
    let error = device.outside(false).unwrap_err();
    assert_eq!(error.code, Code::Io);
    assert!(error.detail().contains("was deleted or replaced"), "{error}");
}
