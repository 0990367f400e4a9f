//! Writes one event as JSON.

use std::borrow::Cow;

use crate::fit::Fitted;
use crate::json::Value;
use crate::json_writer::{write_member, write_text, write_value};
use crate::target::{Group, Target};

/// Writes one event as JSON, its members in the order of their groups.
#[derive(Debug)]
pub(crate) struct EventWriter<'o> {
    out: &'o mut Vec<u8>,
    group: Group,
}

impl<'o> EventWriter<'o> {
    /// Starts an event.
    pub(crate) fn new(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, group: Group::Top }
    }

    /// Appends one member; the targets come in the order of their groups.
    pub(crate) fn member(&mut self, target: Target, value: &Fitted<'_>) {
        self.enter(target.group());
        self.name(target.member_name());
        match value {
            Fitted::Text(text) => write_text(self.out, text),
            Fitted::Bare(text) => self.out.extend_from_slice(text.as_bytes()),
            Fitted::Json(value) => write_value(self.out, value),
            Fitted::Time(at) => {
                self.out.push(b'"');
                at.write(self.out);
                self.out.push(b'"');
            }
            Fitted::Headers(pairs) => {
                self.out.push(b'[');
                for (index, (name, text)) in pairs.iter().enumerate() {
                    self.out.extend_from_slice(if index > 0 { b",[" } else { b"[" });
                    write_text(self.out, name);
                    self.out.push(b',');
                    write_text(self.out, text);
                    self.out.push(b']');
                }
                self.out.push(b']');
            }
        }
    }

    /// Appends the metadata, where there is any.
    pub(crate) fn metadata<'r>(
        &mut self,
        members: impl Iterator<Item = &'r (Cow<'r, str>, Value<'r>)>,
    ) {
        self.enter(Group::Top);
        let mut members = members.peekable();
        if members.peek().is_none() {
            return;
        }
        self.name("metadata");
        self.out.push(b'{');
        for (name, value) in members {
            self.comma();
            write_member(self.out, name, value);
        }
        self.out.push(b'}');
    }

    /// Ends the event.
    pub(crate) fn end(self) {
        self.out.push(b'}');
    }

    fn enter(&mut self, group: Group) {
        if self.group == group {
            return;
        }
        if self.group != Group::Top {
            self.out.push(b'}');
        }
        if let Some(name) = group.name() {
            self.name(name);
            self.out.push(b'{');
        }
        self.group = group;
    }

    fn name(&mut self, name: &str) {
        self.comma();
        write_text(self.out, name);
        self.out.push(b':');
    }

    fn comma(&mut self) {
        if self.out.last() != Some(&b'{') {
            self.out.push(b',');
        }
    }
}
