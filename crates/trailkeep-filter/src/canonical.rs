//! Writes a filter as text that reads back as the same filter.

use std::ops::Bound;

use trailkeep_event::{Field, FieldKind, Micros};

use crate::cursor::KEYWORDS;
use crate::node::Node;
use crate::term::{LOOSE, Range, Target, Term, Test};

impl Node {
    pub(crate) fn write(&self, out: &mut String) {
        match self {
            Self::And(nodes) => join(out, nodes, " "),
            Self::Or(nodes) => join(out, nodes, " OR "),
            Self::Not(node) => {
                out.push('-');
                node.write_one(out);
            }
            Self::Term(term) => term.write(out),
        }
    }

    fn write_one(&self, out: &mut String) {
        match self {
            Self::And(_) | Self::Or(_) => {
                out.push('(');
                self.write(out);
                out.push(')');
            }
            Self::Not(_) | Self::Term(_) => self.write(out),
        }
    }
}

/// `And` binds tighter than `Or`, so it stands in `Or` without parentheses.
fn join(out: &mut String, nodes: &[Node], between: &str) {
    for (index, node) in nodes.iter().enumerate() {
        if index > 0 {
            out.push_str(between);
        }
        match node {
            Node::And(_) => node.write(out),
            Node::Or(_) | Node::Not(_) | Node::Term(_) => node.write_one(out),
        }
    }
}

impl Term {
    fn write(&self, out: &mut String) {
        match &self.target {
            Target::Field(field) => out.push_str(field.name()),
            Target::Actor => out.push_str("actor"),
            Target::Member(field, path) => {
                out.push_str(field.name());
                for segment in path {
                    write_segment(out, segment);
                }
            }
            Target::Header(name) => {
                out.push_str(Field::Headers.name());
                write_segment(out, name);
            }
            Target::Anywhere => {
                for test in &self.tests {
                    test.write_search(out);
                }
                return;
            }
        }
        out.push(':');
        match self.tests.as_slice() {
            [test] => test.write(out, &self.target),
            tests => {
                out.push('(');
                for (index, test) in tests.iter().enumerate() {
                    out.push_str(if index > 0 { " OR " } else { "" });
                    test.write(out, &self.target);
                }
                out.push(')');
            }
        }
    }
}

impl Test {
    fn write_search(&self, out: &mut String) {
        match self {
            Self::Contains(needle) => {
                let text = needle.as_str();
                let bare = is_bare(text) && !text.contains(':') && !text.starts_with('-');
                write_text(out, text, if bare { Quoting::Bare } else { Quoting::Quoted });
            }
            Self::Glob(glob) => out.push_str(glob.written()),
            _ => out.push('*'),
        }
    }

    fn write(&self, out: &mut String, target: &Target) {
        match self {
            Self::Present => out.push('*'),
            Self::Text(text) => {
                if matches!(target, Target::Field(field) if LOOSE.contains(field)) {
                    out.push('=');
                }
                // A plain address with a slash would be a network.
                let network = *target == Target::Field(Field::Ip) && text.contains('/');
                let bare = is_bare(text) && !network;
                write_text(out, text, if bare { Quoting::Bare } else { Quoting::Quoted });
            }
            Self::Action(text) => write_value(out, text),
            Self::Contains(needle) => write_value(out, needle.as_str()),
            Self::Glob(glob) => out.push_str(glob.written()),
            Self::Range(range) => {
                let time =
                    matches!(target, Target::Field(field) if field.kind() == FieldKind::Time);
                let text = |value: i64| {
                    if time { Micros(value).to_string() } else { value.to_string() }
                };
                match *range {
                    (Bound::Included(low), Bound::Included(high)) if low == high => {
                        out.push_str(&text(low));
                    }
                    _ => write_range(out, range, text),
                }
            }
            Self::Number(range) => write_range(out, range, |number| number.to_string()),
            Self::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Self::Id(id) => out.push_str(&id.to_string()),
            Self::Network(network) => out.push_str(&network.to_string()),
        }
    }
}

#[derive(Clone, Copy)]
enum Quoting {
    Bare,
    Quoted,
}

fn write_value(out: &mut String, text: &str) {
    write_text(out, text, if is_bare(text) { Quoting::Bare } else { Quoting::Quoted });
}

/// Tells whether a text means itself without quotes.
fn is_bare(text: &str) -> bool {
    let special = |c: char| matches!(c, '"' | '(' | ')' | '*') || c.is_whitespace();
    !text.is_empty()
        && !text.contains(special)
        && !text.starts_with(['=', '<', '>'])
        && !text.contains("..")
        && !KEYWORDS.contains(&text)
}

fn write_text(out: &mut String, text: &str, quoting: Quoting) {
    match quoting {
        Quoting::Bare => out.push_str(text),
        Quoting::Quoted => {
            out.push('"');
            for c in text.chars() {
                if matches!(c, '"' | '\\') {
                    out.push('\\');
                }
                out.push(c);
            }
            out.push('"');
        }
    }
}

fn write_segment(out: &mut String, segment: &str) {
    out.push('.');
    let special = |c: char| matches!(c, '.' | ':' | '"' | '(' | ')') || c.is_whitespace();
    let bare = !segment.is_empty() && !segment.contains(special);
    write_text(out, segment, if bare { Quoting::Bare } else { Quoting::Quoted });
}

fn write_range<T: Copy>(out: &mut String, range: &Range<T>, text: impl Fn(T) -> String) {
    match *range {
        (Bound::Included(low), Bound::Included(high) | Bound::Excluded(high)) => {
            out.push_str(&text(low));
            out.push_str("..");
            out.push_str(&text(high));
        }
        (Bound::Included(low), Bound::Unbounded) => {
            out.push_str(">=");
            out.push_str(&text(low));
        }
        (Bound::Excluded(low), _) => {
            out.push('>');
            out.push_str(&text(low));
        }
        (Bound::Unbounded, Bound::Included(high)) => {
            out.push_str("<=");
            out.push_str(&text(high));
        }
        (Bound::Unbounded, Bound::Excluded(high)) => {
            out.push('<');
            out.push_str(&text(high));
        }
        (Bound::Unbounded, Bound::Unbounded) => out.push('*'),
    }
}
