//! The monitor alone: the test plays the commit thread, others ask. No step depends on time: a
//! waiter that is not woken hangs, one that is woken too early has the wrong answer.

use super::*;
use crate::base::Code;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

fn monitor() -> Arc<Commits> {
    Arc::new(Commits::new(7, false, Reporter::default()))
}

fn io() -> Error {
    Error::new(Code::Io, "the cable fell out")
}

/// The next thing asked; waits for it.
fn asked(commits: &Commits) -> Work {
    commits.next(None)
}

/// What is asked now.
fn asked_now(commits: &Commits) -> Work {
    commits.next(Some(Duration::ZERO))
}

/// Gives a waiter that was woken by mistake the time to be seen.
fn let_others_run() {
    (0..200).for_each(|_| thread::yield_now());
}

/// A thread that asks for a commit.
fn asker(commits: &Arc<Commits>, all_data: bool, prove: bool) -> thread::JoinHandle<Result<()>> {
    let commits = commits.clone();
    thread::spawn(move || commits.request(all_data, prove))
}

#[test]
fn a_request_waits_until_it_is_served() {
    let commits = monitor();
    let (tell, told) = mpsc::channel();
    let waiter = {
        let commits = commits.clone();
        thread::spawn(move || {
            let answer = commits.request(false, false);
            tell.send(()).unwrap();
            answer
        })
    };
    let work = asked(&commits);
    assert_eq!(work, Work::Commit { target: 1, all_data: false });
    // What else happens does not answer it.
    commits.committed(8);
    commits.wrote_back();
    commits.progress();
    commits.serve(0);
    let_others_run();
    assert!(told.try_recv().is_err(), "answered before it was served");
    commits.serve(1);
    told.recv().unwrap();
    assert!(waiter.join().unwrap().is_ok());
    assert_eq!(asked_now(&commits), Work::Nothing);
}

#[test]
fn a_commit_serves_those_who_asked_before_it_began_and_nobody_else() {
    let commits = monitor();
    let mut early: Vec<_> = (0..3).map(|i| asker(&commits, i == 1, false)).collect();
    let mut target = 0;
    let mut all = false;
    while target < 3 {
        // Woken by the first, it may not see the others yet.
        let Work::Commit { target: next, all_data } = asked(&commits) else { panic!("not a commit") };
        (target, all) = (next, all | all_data);
    }
    assert!(all, "one of them wants all data along");
    let late = asker(&commits, false, false);
    while asked(&commits) != (Work::Commit { target: 4, all_data: false }) {}
    commits.serve(3);
    early.drain(..).for_each(|waiter| assert!(waiter.join().unwrap().is_ok()));
    assert_eq!(asked_now(&commits), Work::Commit { target: 4, all_data: false });
    let_others_run();
    assert!(!late.is_finished());
    commits.serve(4);
    assert!(late.join().unwrap().is_ok());
}

#[test]
fn a_failure_wakes_everyone_and_stays() {
    let commits = monitor();
    let room = {
        let commits = commits.clone();
        thread::spawn(move || commits.wait_for_room(|| Grown { full: true, long: false }))
    };
    assert_eq!(asked(&commits), Work::WriteBack);
    let waiter = asker(&commits, true, true);
    assert_eq!(asked(&commits), Work::Commit { target: 1, all_data: true });
    commits.fail(&io());
    room.join().unwrap();
    let error = waiter.join().unwrap().unwrap_err();
    assert_eq!((error.code, error.detail()), (Code::Io, "the cable fell out"));
    commits.fail(&Error::new(Code::Io, "another"));
    for error in [commits.request(false, false).unwrap_err(), commits.check_running().unwrap_err()] {
        assert_eq!(error.detail(), "the cable fell out", "the first failure stays");
    }
    assert_eq!(commits.check_open().unwrap_err().code, Code::ReadOnly);
    assert!(matches!(asked(&commits), Work::Stop { .. }));
}

#[test]
fn a_failure_is_said_once() {
    let (tell, told) = mpsc::channel();
    let commits = Commits::new(7, false, Reporter::new(move |line| tell.send(line.to_string()).unwrap()));
    commits.fail(&io());
    commits.fail(&io());
    assert!(told.recv().unwrap().contains("the cable fell out"));
    assert!(told.try_recv().is_err());
}

#[test]
fn the_end_of_the_thread_serves_everyone_and_refuses_later_requests() {
    let commits = monitor();
    let room = {
        let commits = commits.clone();
        thread::spawn(move || commits.wait_for_room(|| Grown { full: false, long: true }))
    };
    assert_eq!(asked(&commits), Work::Commit { target: 1, all_data: true });
    let waiter = asker(&commits, false, false);
    while asked(&commits) != (Work::Commit { target: 2, all_data: false }) {}
    assert!(commits.close(), "closed by the first who closes");
    assert!(!commits.close());
    assert_eq!(commits.check_open().unwrap_err().code, Code::ReadOnly);
    commits.stop();
    assert_eq!(asked(&commits), Work::Stop { target: 2 });
    let_others_run();
    assert!(!waiter.is_finished(), "closing is no answer: its commit comes with the end");
    commits.end();
    assert!(waiter.join().unwrap().is_ok());
    room.join().unwrap();
    assert_eq!(commits.request(false, false).unwrap_err().code, Code::ReadOnly);
    commits.ask_soon(Soon::WriteBack);
    commits.wait_for_room(|| Grown { full: true, long: true });
    assert!(commits.check_running().is_ok(), "closed, not failed");
}

#[test]
fn a_proof_is_asked_until_its_request_is_served() {
    let commits = monitor();
    let plain = asker(&commits, false, false);
    assert_eq!(asked(&commits), Work::Commit { target: 1, all_data: false });
    assert!(!commits.is_proof_asked());
    commits.serve(1);
    plain.join().unwrap().unwrap();
    let proven = asker(&commits, true, true);
    assert_eq!(asked(&commits), Work::Commit { target: 2, all_data: true });
    assert!(commits.is_proof_asked());
    commits.serve(2);
    proven.join().unwrap().unwrap();
    assert!(!commits.is_proof_asked());
}

#[test]
fn a_commit_is_durable_and_proves_the_one_before() {
    let commits = monitor();
    assert_eq!((commits.durable(), commits.proven(), commits.is_unproven()), (7, 7, false));
    commits.committed(8);
    assert_eq!((commits.durable(), commits.proven(), commits.is_unproven()), (8, 7, true));
    commits.proved(8);
    commits.proved(3);
    assert_eq!((commits.durable(), commits.proven(), commits.is_unproven()), (8, 8, false));
    commits.committed(9);
    assert_eq!((commits.durable(), commits.proven()), (9, 8));
}

#[test]
fn what_is_asked_soon_is_asked_once() {
    let commits = monitor();
    commits.ask_soon(Soon::WriteBack);
    commits.ask_soon(Soon::WriteBack);
    assert_eq!(asked_now(&commits), Work::WriteBack);
    assert_eq!(asked_now(&commits), Work::Nothing);
    commits.ask_soon(Soon::Commit);
    // A commit is on its way: meanwhile data is placed.
    commits.ask_soon(Soon::Commit);
    assert_eq!(asked_now(&commits), Work::Commit { target: 1, all_data: true });
    commits.serve(1);
    assert_eq!(asked_now(&commits), Work::WriteBack);
    assert_eq!(asked_now(&commits), Work::Nothing);
    commits.wake();
    assert_eq!(asked(&commits), Work::Nothing, "woken for work of its own");
}

#[test]
fn in_sequence_who_asks_soon_waits_for_it() {
    let commits = Arc::new(Commits::new(7, true, Reporter::default()));
    for (what, work) in
        [(Soon::WriteBack, Work::WriteBack), (Soon::Commit, Work::Commit { target: 1, all_data: true })]
    {
        let waiter = {
            let commits = commits.clone();
            thread::spawn(move || commits.ask_soon(what))
        };
        assert_eq!(asked(&commits), work);
        commits.progress();
        let_others_run();
        assert!(!waiter.is_finished());
        match work {
            Work::WriteBack => commits.wrote_back(),
            _ => commits.serve(1),
        }
        waiter.join().unwrap();
    }
}

#[test]
fn a_writer_waits_for_room_as_long_as_there_is_none() {
    let commits = monitor();
    let delayed = Arc::new(AtomicU64::new(3));
    let waiter = {
        let (commits, delayed) = (commits.clone(), delayed.clone());
        thread::spawn(move || {
            commits.wait_for_room(|| Grown { full: delayed.load(Ordering::SeqCst) > 0, long: false });
            delayed.load(Ordering::SeqCst)
        })
    };
    for _ in 0..3 {
        // Each time it looks and finds none, it asks again.
        assert_eq!(asked(&commits), Work::WriteBack);
        delayed.fetch_sub(1, Ordering::SeqCst);
        commits.progress();
    }
    assert_eq!(waiter.join().unwrap(), 0);
}
