//! Small worlds, every history of them: what chance might never come to is tried all the same, up to a length.

use neuron_model::*;

fn start(fault: Option<Fault>) -> Start {
    Start { pages: 400, cpu: 900, handles: HANDLES, fault }
}

fn checked(model: &Model, before: &Summary, _: &[Step]) -> Result<Summary, String> {
    model.check(before)
}

/// How deep: as deep as a few seconds allow, deeper when everything is asked for.
fn depth(usual: usize, full: usize) -> usize {
    if std::env::var_os("NEXUS_TEST_FULL").is_some() { full } else { usual }
}

#[test]
fn every_transfer_between_two_processes() {
    let depth = depth(4, 5);
    let found = explore(small::pair(start(None), 1).model, small::transfers, depth, checked)
        .expect("no property is broken");
    println!("every transfer, {depth} steps deep: {found:?}");
}

#[test]
fn every_wait_of_two_threads_at_one_port() {
    let depth = depth(5, 7);
    let found = explore(small::served(start(None)).model, small::ports, depth, checked)
        .expect("no property is broken");
    println!("every wait, {depth} steps deep: {found:?}");
}

/// The two rules that keep queues from holding each other are both needed to be broken, and then it happens.
#[test]
fn a_cycle_of_queues_is_noticed() {
    let start = small::pair(start(Some(Fault::QueuesHoldEachOther)), 1).model;
    let reach = |model: &Model, _: &Summary, _: &[Step]| model.check_reach().map(|()| Summary::default());
    let Err((history, what)) = explore(start, small::transfers, 3, reach) else {
        panic!("no cycle was found")
    };
    println!("{what}: {history:?}");
}
