//! What is submitted and not done: pure bookkeeping, under one lock, without I/O.
//!
//! Invariants: the ranges of `queued` and `in_flight` together are disjoint; a ticket is in `tickets`
//! with the number of its pieces that are not done; `order` holds the start of every queued piece,
//! and starts that a merge has taken meanwhile.

use super::WriteBuf;
use crate::base::{BlockNumber, Error, POOLED_BLOCKS_MAX, Result};
use std::collections::{BTreeMap, VecDeque};

/// Blocks that leave as one write at most (1 MiB).
pub(super) const WRITE_BLOCKS_MAX: u64 = POOLED_BLOCKS_MAX as u64;
/// Buffers that leave as one write at most (IOV_MAX).
const WRITE_BUFS_MAX: usize = 1024;
/// Pieces waiting for a thread before submitting blocks.
const QUEUED_MAX: usize = 1024;

/// Buffers for consecutive blocks, small enough for one write.
pub(super) struct Piece {
    pub(super) at: u64,
    pub(super) blocks: u64,
    pub(super) bufs: Vec<WriteBuf>,
    /// The tickets that wait for it, each as often as a piece of it was merged in here.
    pub(super) tickets: Vec<u64>,
}

#[derive(Default)]
pub(super) struct Pending {
    queued: BTreeMap<u64, Piece>,
    order: VecDeque<u64>,
    /// Start and blocks.
    in_flight: BTreeMap<u64, u64>,
    tickets: BTreeMap<u64, usize>,
    last_ticket: u64,
    error: Option<Error>,
    closed: bool,
}

impl Pending {
    pub(super) fn new_ticket(&mut self) -> u64 {
        self.last_ticket += 1;
        self.last_ticket
    }

    pub(super) fn last_ticket(&self) -> u64 {
        self.last_ticket
    }

    pub(super) fn has_ticket(&self, ticket: u64) -> bool {
        self.tickets.contains_key(&ticket)
    }

    pub(super) fn has_ticket_up_to(&self, last: u64) -> bool {
        self.tickets.first_key_value().is_some_and(|(&first, _)| first <= last)
    }

    pub(super) fn queued(&self) -> usize {
        self.queued.len()
    }

    /// Whether a piece may be added now: room, and no earlier write of its blocks.
    pub(super) fn accepts(&self, at: u64, blocks: u64) -> bool {
        if self.error.is_some() {
            return true;
        }
        let end = at.saturating_add(blocks);
        let queued = self.queued.range(..end).next_back().is_some_and(|(start, p)| start + p.blocks > at);
        let flying = self.in_flight.range(..end).next_back().is_some_and(|(start, len)| start + len > at);
        !queued && !flying && self.queued.len() < QUEUED_MAX
    }

    /// Adds a piece that [`Pending::accepts`]. After an error it is dropped: nothing more is written.
    pub(super) fn add(&mut self, ticket: u64, at: BlockNumber, bufs: Vec<WriteBuf>) {
        let blocks = bufs.iter().map(WriteBuf::block_count).sum();
        if blocks == 0 || self.error.is_some() {
            return;
        }
        *self.tickets.entry(ticket).or_default() += 1;
        self.queued.insert(at.0, Piece { at: at.0, blocks, bufs, tickets: vec![ticket] });
        self.order.push_back(at.0);
    }

    /// Takes the oldest piece, with what follows it on the device.
    fn start(&mut self) -> Option<Piece> {
        let mut piece = loop {
            let at = self.order.pop_front()?;
            if let Some(piece) = self.queued.remove(&at) {
                break piece;
            }
        };
        while let Some(next) = self.queued.get(&(piece.at + piece.blocks)) {
            let bufs = piece.bufs.len() + next.bufs.len();
            if piece.blocks + next.blocks > WRITE_BLOCKS_MAX || bufs > WRITE_BUFS_MAX {
                break;
            }
            let Some(next) = self.queued.remove(&(piece.at + piece.blocks)) else { break };
            piece.blocks += next.blocks;
            piece.bufs.extend(next.bufs);
            piece.tickets.extend(next.tickets);
        }
        self.in_flight.insert(piece.at, piece.blocks);
        Some(piece)
    }

    /// Takes up to `most` pieces, but no more than one that are large: each of those is worth a thread of its own.
    pub(super) fn start_some(&mut self, most: usize) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut blocks = 0;
        while pieces.len() < most && blocks < WRITE_BLOCKS_MAX {
            let Some(piece) = self.start() else { break };
            blocks += piece.blocks;
            pieces.push(piece);
        }
        pieces
    }

    /// The piece from [`Pending::start`] at `at` is written, or not.
    pub(super) fn finish(&mut self, at: u64, tickets: &[u64], result: Result<()>) {
        self.in_flight.remove(&at);
        self.settle(tickets);
        if let Err(error) = result {
            self.fail(error);
        }
    }

    /// Keeps the error unless there is an earlier one, which it returns; drops all that is queued.
    pub(super) fn fail(&mut self, error: Error) -> Error {
        for (_, dropped) in std::mem::take(&mut self.queued) {
            self.settle(&dropped.tickets);
        }
        self.order.clear();
        self.error.get_or_insert(error).clone()
    }

    fn settle(&mut self, tickets: &[u64]) {
        for ticket in tickets {
            if let Some(left) = self.tickets.get_mut(ticket) {
                *left -= 1;
                if *left == 0 {
                    self.tickets.remove(ticket);
                }
            }
        }
    }

    pub(super) fn error(&self) -> Result<()> {
        self.error.clone().map_or(Ok(()), Err)
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn closed(&self) -> bool {
        self.closed
    }
}
