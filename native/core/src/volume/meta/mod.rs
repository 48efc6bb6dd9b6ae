//! Blocks of a file's own metadata: directory blocks, presence nodes.
//!
//! Doors: become_sparse, clear_present, copies_at, find_entry, find_name, insert_entry, iterate,
//! load_nodes, load_table, meta_block, names, next_present, presence_run, presence_state, put_meta,
//! read_other_copies, release_meta, release_nodes, remove_entry, replace_entry, reserve_nodes,
//! set_present, stop_being_sparse, touch_directory

mod blocks;
mod directories;
mod presence;
mod read;

pub use directories::Names;
