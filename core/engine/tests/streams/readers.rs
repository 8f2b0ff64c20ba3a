//! Durable readers whose members share the shards.

use std::sync::Arc;
use std::time::Duration;

use trunkline_engine::{Code, MemberWait, Parker, Start};
use trunkline_host::Subscription;

use crate::common::{START, memory, on_disk};
use crate::{create, fetch, find, join, put, put_numbers};

#[test]
fn a_reader_goes_on_where_it_committed_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let engine = on_disk(folder.path(), START);
    let stream = create(&engine, 2);
    put(&stream, "a", "before");
    let late = join(&stream, "late", Start::Latest);
    let early = join(&stream, "early", Start::TrimHorizon);
    let timed = join(&stream, "timed", Start::AtTimestamp(START + 1));
    engine.advance(5).unwrap();
    put(&stream, "a", "one");
    let (found, taken) = fetch(&late);
    assert_eq!(found, ["one"]);
    assert_eq!((fetch(&early).0, fetch(&timed).0), (vec!["before".into(), "one".into()], found));
    let ticket = late.commit(&taken).unwrap().unwrap();
    engine.wait(ticket, engine.durability()).unwrap();
    put(&stream, "a", "two");
    drop((late, early, timed));
    engine.close().unwrap();

    let engine = on_disk(folder.path(), START);
    let stream = find(&engine);
    // The start counts only when the reader is made.
    let late = join(&stream, "late", Start::TrimHorizon);
    assert_eq!(fetch(&late).0, ["two"]);
    assert_eq!(fetch(&join(&stream, "timed", Start::Latest)).0, ["one", "two"]);
    assert_eq!(fetch(&join(&stream, "early", Start::Latest)).0, ["before", "one", "two"]);
    let behind: Vec<_> = stream
        .statistics()
        .unwrap()
        .readers
        .iter()
        .map(|one| (one.name.clone(), one.behind))
        .collect();
    assert_eq!(behind, [("early".into(), 3), ("late".into(), 1), ("timed".into(), 2)]);
    stream.remove_reader("early").unwrap();
    assert_eq!(stream.remove_reader("early").unwrap_err().code(), Code::ResourceNotFoundException);
    drop(late);
    engine.close().unwrap();
    assert_eq!(find(&on_disk(folder.path(), START)).all_readers().len(), 2);
}

#[test]
fn members_share_the_shards_and_a_lost_lease_refuses_the_commit() {
    let engine = memory();
    let stream = create(&engine, 4);
    let first = join(&stream, "billing", Start::TrimHorizon);
    put_numbers(&stream, 40);
    let (found, taken) = fetch(&first);
    assert_eq!((found.len(), taken.len()), (40, 4));
    let second = join(&stream, "billing", Start::TrimHorizon);
    assert_eq!(fetch(&second).0.len(), 0, "everything is in flight");
    first.commit(&taken).unwrap();
    put_numbers(&stream, 40);
    let (mine, stale) = fetch(&first);
    let (others, _) = fetch(&second);
    assert_eq!((mine.len() + others.len(), stale.len()), (40, 2));
    // The first one hangs; the second one takes its shards and what was in flight.
    engine.advance(59_000).unwrap();
    fetch(&second);
    engine.advance(1_000).unwrap();
    assert_eq!(fetch(&second).0.len(), mine.len());
    assert_eq!(first.commit(&stale).unwrap_err().code(), Code::LeaseLost);
    drop(second);
    assert_eq!(fetch(&first).0.len(), 40, "nothing of it was committed");
}

#[test]
fn a_put_a_close_and_a_lapse_wake_a_member_that_waits() {
    let engine = memory();
    let stream = create(&engine, 1);
    let hanging = join(&stream, "billing", Start::TrimHorizon);
    put(&stream, "k", "one");
    assert_eq!(fetch(&hanging).0, ["one"]);
    let waiting = Arc::new(join(&stream, "billing", Start::TrimHorizon));
    let parker = Arc::new(Parker::default());
    let wait = || {
        let place = Subscription::new(stream.clone(), parker.clone(), None);
        (place, MemberWait::new(waiting.clone()))
    };
    let place = wait();
    put(&stream, "k", "two");
    assert!(parker.park(Duration::ZERO));
    drop(place);
    assert_eq!(fetch(&waiting).0.len(), 0, "the other one holds the only shard");
    let place = wait();
    engine.advance(60_000).unwrap();
    assert!(parker.park(Duration::ZERO), "the lease of the other one lapsed");
    assert_eq!(fetch(&waiting).0, ["one", "two"]);
    engine.advance(600_000).unwrap();
    assert_eq!(fetch(&hanging).0.len(), 0, "a member that waits keeps its leases");
    drop(place);
    engine.advance(60_000).unwrap();
    assert_eq!(fetch(&hanging).0, ["one", "two"]);
    let _place = wait();
    engine.close().unwrap();
    assert!(parker.park(Duration::ZERO));
}
