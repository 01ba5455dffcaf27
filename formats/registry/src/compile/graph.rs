//! Who calls whom: every edge leads to a provided service, no ring of calls can wait for itself, and no
//! server is slower to be scheduled than someone who waits for it.

use std::collections::BTreeSet;
use std::format;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

use super::Refusals;
use super::source::{At, Model};
use crate::process::EdgeKind;

/// The index of the process that provides `service`.
pub(super) fn provider(model: &Model, service: &str) -> Option<usize> {
    model.processes.iter().position(|process| process.provides.iter().any(|name| name.value == service))
}

pub(super) fn check(refusals: &mut Refusals) {
    edges(refusals);
    cycles(refusals);
}

fn edges(refusals: &mut Refusals) {
    let model = refusals.model;
    for (client_index, client) in model.processes.iter().enumerate() {
        let mut named = BTreeSet::new();
        for (kind, service) in wanted(model, client_index) {
            if !named.insert(&service.value) {
                let what = format!("`{}` names the service `{}` twice", client.name.value, service.value);
                refusals.add(service.place, what, "name it once, in `uses` or in `sends`".to_string());
            }
            let Some(server_index) = provider(model, &service.value) else {
                let what = format!("nobody provides the service `{}`", service.value);
                refusals.add(
                    service.place,
                    what,
                    "correct the name, or add it to a process's `provides`".to_string(),
                );
                continue;
            };
            let server = &model.processes[server_index];
            if server_index == client_index {
                let what = format!("`{}` uses its own service `{}`", client.name.value, service.value);
                refusals.add(service.place, what, "remove the edge".to_string());
            } else if !client.is_addition() && server.is_addition() {
                let what = format!(
                    "the production process `{}` depends on `{}` of a test file",
                    client.name.value, server.name.value
                );
                refusals.add(service.place, what, "a test file can only add".to_string());
            } else if kind == EdgeKind::Call && client.priority.value > server.priority.value {
                let what = format!(
                    "`{}` (priority {}) calls `{}` (priority {})",
                    client.name.value, client.priority.value, server.name.value, server.priority.value
                );
                let mend = format!(
                    "a server's priority is at least its clients': raise the server's (line {})",
                    server.priority.place.line
                );
                refusals.add(client.priority.place, what, mend);
            }
        }
    }
}

fn wanted(model: &Model, client: usize) -> impl Iterator<Item = (EdgeKind, &At<String>)> {
    let client = &model.processes[client];
    let calls = client.uses.iter().map(|service| (EdgeKind::Call, service));
    calls.chain(client.sends.iter().map(|service| (EdgeKind::Send, service)))
}

/// Every edge with the indices of its client and server, in the order of the source; unknown ones left out.
pub(super) fn all_edges(model: &Model) -> Vec<(usize, &At<String>, usize, EdgeKind)> {
    let of_client = |client| {
        wanted(model, client).filter_map(move |(kind, service)| {
            Some((client, service, provider(model, &service.value)?, kind))
        })
    };
    (0..model.processes.len()).flat_map(of_client).collect()
}

/// Walks the calls depth first; an edge back into the current path closes a ring.
fn cycles(refusals: &mut Refusals) {
    let model = refusals.model;
    let edges: Vec<_> =
        all_edges(model).into_iter().filter(|edge| edge.3 == EdgeKind::Call && edge.0 != edge.2).collect();
    let mut finished = vec![false; model.processes.len()];
    for start in 0..model.processes.len() {
        let mut path = vec![(start, 0)];
        while let Some((process, tried)) = path.last_mut() {
            let process = *process;
            let next = edges.iter().filter(|edge| edge.0 == process).nth(*tried);
            *tried += 1;
            match next {
                None => {
                    finished[process] = true;
                    path.pop();
                }
                Some((_, _, server, _)) if finished[*server] => {}
                Some((_, service, server, _)) => {
                    if let Some(from) = path.iter().position(|(on_path, _)| on_path == server) {
                        let ring = path[from..].iter().map(|(index, _)| *index).chain([*server]);
                        let ring: Vec<_> =
                            ring.map(|index| model.processes[index].name.value.as_str()).collect();
                        let what = format!("calls go in a ring: {}", ring.join(" -> "));
                        refusals.add(
                            service.place,
                            what,
                            "make one of them a send (`sends`), which does not wait".to_string(),
                        );
                    } else {
                        path.push((*server, 0));
                    }
                }
            }
        }
    }
}
