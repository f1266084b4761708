//! No cycle between the files of one room: a file and its own folder count as one.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::module_graph::{Module, Segments, modules};

/// Which entries of a folder name which others of it, folder by folder.
type Graph = BTreeMap<Segments, BTreeMap<String, BTreeSet<String>>>;

fn graph(modules: &[Module]) -> Graph {
    let mut graph = Graph::new();
    for module in modules {
        for named in &module.names {
            let shared = module.path.iter().zip(named).take_while(|(own, other)| own == other).count();
            let (Some(from), Some(to)) = (module.path.get(shared), named.get(shared)) else { continue };
            let room = &module.path[..shared];
            let is_sibling = modules.iter().any(|other| {
                other.path.len() == shared + 1 && other.path[shared] == *to && other.path[..shared] == *room
            });
            if is_sibling {
                graph.entry(room.to_vec()).or_default().entry(from.clone()).or_default().insert(to.clone());
            }
        }
    }
    graph
}

/// The shortest way from `start` back to itself.
fn cycle_through<'a>(start: &'a str, edges: &'a BTreeMap<String, BTreeSet<String>>) -> Option<Vec<&'a str>> {
    let mut ways = vec![vec![start]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in edges.get(*way.last()?).into_iter().flatten() {
                if next == start {
                    return Some([&way[..], &[start]].concat());
                }
                if seen.insert(next.as_str()) {
                    longer.push([&way[..], &[next.as_str()]].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

fn cycles(graph: &Graph) -> Vec<String> {
    let mut found = Vec::new();
    for (room, edges) in graph {
        for way in edges.keys().filter_map(|start| cycle_through(start, edges)) {
            found.push(format!("{}: {}", room.join("::"), way.join(" -> ")));
        }
    }
    found
}

#[test]
fn files_of_one_room_do_not_name_each_other_in_a_circle() {
    assert_eq!(cycles(&graph(&modules())), [""; 0]);
}

#[test]
fn a_cycle_is_found_and_a_parent_is_none() {
    let module = |path: &str, names: &[&str]| {
        let split = |path: &str| path.split("::").map(str::to_owned).collect::<Segments>();
        Module {
            path: split(path),
            file: String::new(),
            names: names.iter().map(|name| split(name)).collect(),
            others: BTreeSet::new(),
        }
    };
    let modules = [
        module("room", &["room::a"]),
        module("room::a", &["room::b::Item", "room::Shared"]),
        module("room::b", &["room::c::child::x"]),
        module("room::c", &["room::c::child"]),
        module("room::c::child", &["room::a", "other::Thing"]),
        module("other", &[]),
    ];
    assert_eq!(
        cycles(&graph(&modules)),
        ["room: a -> b -> c -> a", "room: b -> c -> a -> b", "room: c -> a -> b -> c"]
    );
}
