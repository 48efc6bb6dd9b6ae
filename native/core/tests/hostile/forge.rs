//! Changing what an image says, with every checksum over it made right again.

use hn4_core::base::{BLOCK_SIZE, BlockNumber, CopyPage, crc32c, crc32c_append};
use hn4_core::device::Device;
use hn4_core::device::testing::MemDevice;
use hn4_core::extension::XATTR_PAYLOAD_MAX;
use hn4_core::format::layout as l;
use hn4_core::format::{Descriptor, Geometry, PageBytes, Region, bit, load_page, store_page};
use hn4_core::testing::read_block;

/// A page as the first good copy has it, and its transaction.
pub fn page(
    device: &MemDevice,
    geometry: &Geometry,
    region: Region,
    number: u64,
) -> Option<(PageBytes, u64)> {
    let place = geometry.map.page(region, number)?;
    (0..geometry.copies()).find_map(|copy| {
        let mut bytes = read_block(device, geometry.page_block(copy, place)?);
        load_page(&mut bytes, &geometry.map, region, number).ok().map(|txn| (bytes, txn))
    })
}

/// Pages of a region that were written home.
pub fn pages(device: &MemDevice, geometry: &Geometry, region: Region) -> Vec<u64> {
    let all = 0..geometry.map.pages_of(region);
    all.filter(|&number| page(device, geometry, region, number).is_some()).collect()
}

/// Changes a page in every copy.
pub fn edit_page(
    device: &MemDevice,
    geometry: &Geometry,
    (region, number): (Region, u64),
    change: impl FnOnce(&mut PageBytes),
) {
    let Some((mut bytes, txn)) = page(device, geometry, region, number) else { return };
    change(&mut bytes);
    store_page(&mut bytes, &geometry.map, region, number, txn);
    let place: CopyPage = geometry.map.page(region, number).expect("it was read");
    for copy in 0..geometry.copies() {
        write(device, geometry.page_block(copy, place).expect("a page of the copy"), &bytes);
    }
}

pub fn write(device: &MemDevice, block: BlockNumber, bytes: &[u8]) {
    device.write(block, bytes).expect("a block of the device");
}

/// Live descriptors, as the pages at home have them.
pub fn descriptors(device: &MemDevice, geometry: &Geometry) -> Vec<(u64, Descriptor)> {
    let table = geometry.descriptors;
    let Some((map, _)) = page(device, geometry, Region::Free, 0) else { return Vec::new() };
    let end = geometry.data_blocks().min(l::MAP_BITS_PER_PAGE);
    let mut found = Vec::new();
    let mut held: Option<(u64, PageBytes)> = None;
    for data in (0..end).filter(|&data| bit(&map, data)) {
        let number = table.page_of(data);
        if held.as_ref().is_none_or(|(known, _)| *known != number) {
            held = page(device, geometry, Region::Descriptor, number).map(|(bytes, _)| (number, bytes));
        }
        if let Some((_, bytes)) = &held {
            found.push((data, table.decode(bytes, table.position(data))));
        }
    }
    found
}

/// Changes the bytes of every copy of a metadata block of a file, and the checksums in their descriptors.
pub fn edit_meta(
    device: &MemDevice,
    geometry: &Geometry,
    (owner, index): (u64, u64),
    change: impl Fn(&mut [u8; BLOCK_SIZE]),
) {
    let table = geometry.descriptors;
    for (data, mut found) in descriptors(device, geometry) {
        if (found.owner, found.index) != (owner, index) || !found.is_meta() {
            continue;
        }
        let mut bytes = read_block(device, geometry.data_block(data));
        change(&mut bytes);
        write(device, geometry.data_block(data), &bytes);
        found.stamp.crc = crc32c(&bytes);
        edit_page(device, geometry, (Region::Descriptor, table.page_of(data)), |page| {
            table.encode(page, table.position(data), &found);
        });
    }
}

/// First blocks and headers of the records from the tail on, as far as they stand side by side.
pub fn records(device: &MemDevice, geometry: &Geometry) -> Vec<(u64, l::LogRecord)> {
    let Ok(found) = hn4_core::log::checkpoint::read(device, geometry) else { return Vec::new() };
    let (mut at, mut txn) = (found.checkpoint.tail, found.checkpoint.tail_txn);
    let mut records = Vec::new();
    while let Some(header) = l::LogRecord::decode(&read_block(device, geometry.ring_block(at))) {
        let here = u64::from(header.magic) == l::RECORD_MAGIC && header.txn == txn;
        let end = at + u64::from(header.blocks);
        if !here || header.blocks == 0 || end >= geometry.ring_blocks() {
            break;
        }
        records.push((at, header));
        (at, txn) = (end, txn + 1);
    }
    records
}

/// Changes the bytes of a record, and the checksums of the chain behind it.
pub fn edit_record(device: &MemDevice, geometry: &Geometry, which: usize, change: impl FnOnce(&mut [u8])) {
    let mut change = Some(change);
    let mut previous = None;
    for (at, header) in records(device, geometry).into_iter().skip(which) {
        let mut bytes = vec![0; header.blocks as usize * BLOCK_SIZE];
        device.read(geometry.ring_block(at), &mut bytes).expect("blocks of the ring");
        if let Some(change) = change.take() {
            change(&mut bytes);
        }
        if let Some(crc) = previous {
            put(&mut bytes, l::LogRecord::AT_PREVIOUS_CRC, crc);
        }
        let crc = crc32c_append(0, &bytes[..l::LogRecord::AT_CRC]);
        let crc = crc32c_append(crc32c_append(crc, &[0; 4]), &bytes[l::LogRecord::SIZE..]);
        put(&mut bytes, l::LogRecord::AT_CRC, crc);
        write(device, geometry.ring_block(at), &bytes);
        previous = Some(crc);
    }
}

/// Makes the checksum of the extension record that begins in these units right.
pub fn fix_extension(units: &mut [u8]) {
    let head = l::EXTENSION_HEADER as usize;
    let Some(mut header) = l::ExtensionRecord::decode(units) else { return };
    let end = head + (header.length as usize).min(XATTR_PAYLOAD_MAX);
    let Some(payload) = units.get(head..end) else { return };
    let payload = payload.to_vec();
    header.crc = 0;
    header.encode(units);
    header.crc = crc32c_append(crc32c_append(0, &units[..head]), &payload);
    header.encode(units);
}

pub fn put(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}
