//! The types and the network of a model as a graph, in the language of Graphviz (dot).

use std::fmt::Write;

use crate::job::File;

/// A graph of a model.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// Types in use, each with those that it extends: its parent first.
    pub types: Vec<(String, Vec<String>)>,
    /// Places in the network with what is there: path, and a line for each kind of instances.
    pub places: Vec<(String, Vec<String>)>,
    /// Connections between two places: from, to, how many and through what.
    pub connections: Vec<(String, String, String)>,
}

/// The graph as a file; `name` is that of the model's file.
pub fn graph(name: &str, graph: &Graph) -> File {
    let stem = name.strip_suffix(".xml").unwrap_or(name);
    let mut text = String::from(
        "digraph model {\n    node [shape=box];\n    subgraph cluster_types {\n        label=\"types\";\n",
    );
    for (kind, extends) in &graph.types {
        let _ = writeln!(text, "        {};", quoted(&format!("type {kind}"), kind));
        let chain: Vec<&String> = [kind].into_iter().chain(extends).collect();
        for pair in chain.windows(2) {
            if let [one, parent] = pair {
                let _ = writeln!(
                    text,
                    "        {};",
                    quoted(&format!("type {parent}"), parent)
                );
                let _ = writeln!(
                    text,
                    "        {} -> {} [arrowhead=empty];",
                    id(&format!("type {one}")),
                    id(&format!("type {parent}"))
                );
            }
        }
    }
    text.push_str("    }\n    subgraph cluster_network {\n        label=\"network\";\n");
    for (path, lines) in &graph.places {
        let label = [path.clone()]
            .into_iter()
            .chain(lines.iter().cloned())
            .collect::<Vec<_>>()
            .join("\n");
        let _ = writeln!(
            text,
            "        {};",
            quoted(&format!("place {path}"), &label)
        );
    }
    for (from, to, label) in &graph.connections {
        let _ = writeln!(
            text,
            "        {} -> {} [label={}];",
            id(&format!("place {from}")),
            id(&format!("place {to}")),
            id(label)
        );
    }
    text.push_str("    }\n}\n");
    // A parent of several types is written once.
    let mut seen = std::collections::HashSet::new();
    let is_new = |line: &&str| !line.contains("type ") || seen.insert((*line).to_owned());
    let lines: Vec<&str> = text.lines().filter(is_new).collect();
    File {
        name: format!("{stem}.dot"),
        text: lines.join("\n") + "\n",
    }
}

/// A node with its label.
fn quoted(name: &str, label: &str) -> String {
    format!("{} [label={}]", id(name), id(label))
}

/// A text as a name of dot.
fn id(text: &str) -> String {
    let text = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{text}\"")
}
