//! Blocks of a file's own metadata: directory blocks, presence nodes.
//!
//! Doors: become_sparse, change_presence, copies_at, edit_presence, enter_name, find_entry,
//! find_name, forget_name, insert_entry, iterate, iterate_past, load_table, log_of_meta,
//! meta_block, names, next_present, plan_entry, presence_run, presence_state, put_meta,
//! read_other_copies, release_meta, release_nodes, remove_entry, replace_entry, reserve_nodes,
//! stop_being_sparse, touch_directory, will_be_holes, will_exist

mod blocks;
mod directories;
mod presence;
mod read;

pub use directories::Names;
