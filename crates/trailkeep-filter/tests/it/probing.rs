//! What an index is asked for: nothing that a match lacks.

use proptest::prelude::*;
use trailkeep_event::{Entry, Field, FieldKind, Fields, ValueRef, action_key};
use trailkeep_filter::{Edge, Filter, Probe};

use crate::properties::{any_entry, query};
use crate::rows::filter;

fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Tells whether a row has what is asked for: the meaning of a probe in the plainest words.
fn has(entry: &Entry, probe: &Probe) -> bool {
    match probe {
        Probe::Always => true,
        Probe::All(probes) => probes.iter().all(|probe| has(entry, probe)),
        Probe::Any(probes) => probes.iter().any(|probe| has(entry, probe)),
        Probe::Id(id) => entry.stamp.id == *id,
        Probe::Whole(text) => wholes(entry).iter().any(|whole| lower(whole) == lower(text)),
        Probe::Piece { text, left, right } => {
            texts(entry).iter().any(|whole| holds(&lower(whole), &lower(text), *left, *right))
        }
    }
}

fn holds(whole: &str, piece: &str, left: Edge, right: Edge) -> bool {
    let ends = |c: Option<char>| c.is_none_or(|c| c.is_ascii() && !c.is_alphanumeric() && c != '-');
    whole.char_indices().map(|(at, _)| at).chain([whole.len()]).any(|at| {
        let (before, rest) = whole.split_at(at);
        rest.strip_prefix(piece).is_some_and(|after| {
            (left == Edge::Open || ends(before.chars().next_back()))
                && (right == Edge::Open || ends(after.chars().next()))
        })
    })
}

fn wholes(entry: &Entry) -> Vec<String> {
    let mut wholes = vec![action_key(entry.text(Field::Action).unwrap())];
    for field in Field::in_row() {
        match (field.kind(), entry.get(field)) {
            (FieldKind::Id | FieldKind::Enum(_), Some(ValueRef::Text(text))) => {
                wholes.push(text.to_owned());
            }
            (_, Some(ValueRef::Int(status))) if field == Field::Status => {
                wholes.extend([status.to_string(), format!("{}xx", status / 100)]);
            }
            _ => {}
        }
    }
    wholes
}

fn texts(entry: &Entry) -> Vec<String> {
    let mut texts = Vec::new();
    for field in Field::in_row() {
        match entry.get(field) {
            Some(ValueRef::Text(text)) if field != Field::ErrorStack => texts.push(text.to_owned()),
            Some(ValueRef::Json(json)) if field == Field::Metadata => {
                leaves(&serde_json::from_str(json).unwrap(), &mut texts);
            }
            _ => {}
        }
    }
    texts
}

fn leaves(value: &serde_json::Value, out: &mut Vec<String>) {
    match value {
        serde_json::Value::Array(items) => items.iter().for_each(|item| leaves(item, out)),
        serde_json::Value::Object(members) => {
            for (key, value) in members {
                out.push(key.clone());
                leaves(value, out);
            }
        }
        serde_json::Value::String(text) => out.push(text.clone()),
        other => out.push(other.to_string()),
    }
}

/// Writes a probe in one line.
fn line(probe: &Probe) -> String {
    let list = |probes: &[Probe], between: &str| {
        let probes: Vec<String> = probes.iter().map(line).collect();
        format!("({})", probes.join(between))
    };
    match probe {
        Probe::Always => "anything".to_owned(),
        Probe::All(probes) => list(probes, " & "),
        Probe::Any(probes) => list(probes, " | "),
        Probe::Whole(text) => format!("={text}"),
        Probe::Piece { text, left, right } => {
            let star = |edge: &Edge| if *edge == Edge::Open { "*" } else { "" };
            format!("~{}{text}{}", star(left), star(right))
        }
        Probe::Id(id) => format!("id {id}"),
    }
}

#[test]
fn cases() {
    const ID: &str = "01980000-0000-7abc-8def-0123456789ab";
    let cases = [
        ("", "anything"),
        ("status:503", "=503"),
        ("status:500..502", "(=500 | =501 | =502)"),
        ("status:>=500", "(=5xx | =6xx | =7xx | =8xx | =9xx)"),
        ("status:400..499", "=4xx"),
        ("duration:>1s", "anything"),
        ("action:License.Suspended", "=licensesuspended"),
        ("action:license.*", "anything"),
        ("actor_id:(a OR b)", "(=a | =b)"),
        ("actor_id:usr_*", "~usr_*"),
        ("actor_id:*a*b", "(~*a* & ~*b)"),
        ("actor:me", "~me"),
        ("outcome:failure", "=failure"),
        ("path:/x", "~/x"),
        ("path:/x* -method:GET", "~/x*"),
        ("error_message:\"Limit\"", "~*limit*"),
        ("error_message:=Limit", "~Limit"),
        ("error_stack:x", "anything"),
        ("ip:10.0.0.0/8", "anything"),
        ("metadata.a.b:x", "(~a & ~b & ~x)"),
        ("metadata.n:>5", "~n"),
        ("metadata.n:*", "~n"),
        ("before.n:5", "anything"),
        ("headers.x:5", "anything"),
        ("word", "~*word*"),
        ("w*d", "(~w* & ~*d)"),
        ("a OR duration:5", "anything"),
        ("a duration:5 b", "(~*a* & ~*b*)"),
        ("occurred:2026-01-01 ip:1.2.3.4", "=1.2.3.4"),
    ];
    for (text, expected) in cases {
        assert_eq!(line(&filter(text).probe()), expected, "{text}");
    }
    assert_eq!(line(&filter(&format!("id:{ID}")).probe()), format!("id {ID}"));
    assert_eq!(line(&filter(ID).probe()), format!("(~*{ID}* | id {ID})"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_match_has_what_is_asked_for(query in query(), entry in any_entry()) {
        let filter = Filter::parse(&query.text()).unwrap();
        if filter.matches(&entry) {
            let probe = filter.probe();
            prop_assert!(has(&entry, &probe), "{} asks for {}", query.text(), line(&probe));
        }
    }
}
