//! The grammar: what joins terms, and what a term is made of.
//!
//! ```text
//! any    = all { "OR" all }
//! all    = one { [ "AND" ] one }
//! one    = { "-" | "NOT" } ( "(" any ")" | term )
//! term   = name ":" ( value | "(" value { "OR" value } ")" ) | word | phrase
//! ```

use crate::cursor::{Cursor, Op, Quotes, RawValue};
use crate::error::{Fault, Parsed};
use crate::filter::{Filter, too_long};
use crate::name::{self, Name};
use crate::node::Node;
use crate::term::{Target, Term, Test};
use crate::value;

/// Reads a whole filter.
pub(crate) fn parse(text: &str) -> Parsed<Node> {
    if text.len() > Filter::TEXT_BYTES_MAX {
        return Err(too_long(text.len()));
    }
    let mut parser = Parser { cursor: Cursor::new(text), n_terms: 0, depth: 0 };
    parser.cursor.skip_space();
    if parser.cursor.peek().is_none() {
        return Ok(Node::and(Vec::new()));
    }
    let node = parser.any()?;
    if parser.cursor.peek().is_some() {
        return Err(Fault::new(parser.cursor.at(), "this `)` closes nothing"));
    }
    Ok(node)
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    n_terms: usize,
    depth: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Parsed<Node> {
        let mut nodes = vec![self.all()?];
        while self.cursor.keyword("OR") {
            nodes.push(self.all()?);
        }
        Ok(Node::or(nodes))
    }

    /// Stops at the end, before `)` and before `OR`.
    fn all(&mut self) -> Parsed<Node> {
        let mut nodes = Vec::new();
        loop {
            nodes.push(self.one()?);
            self.cursor.skip_space();
            if matches!(self.cursor.peek(), None | Some(')'))
                || self.cursor.is_at_keyword() == Some("OR")
            {
                return Ok(Node::and(nodes));
            }
            self.cursor.keyword("AND");
        }
    }

    fn one(&mut self) -> Parsed<Node> {
        let mut negative = false;
        loop {
            self.cursor.skip_space();
            let at = self.cursor.at();
            if self.cursor.accept('-') {
                if self.cursor.is_at_boundary() {
                    return Err(Fault::new(at, "`-` stands right before what it excludes")
                        .hint("write \"-\" to search for the character"));
                }
            } else if !self.cursor.keyword("NOT") {
                break;
            }
            negative = !negative;
        }
        let node = match self.cursor.peek() {
            Some('(') => self.group()?,
            Some('"') => self.words()?,
            Some(c) if c != ')' => self.term()?,
            _ => return Err(Fault::new(self.cursor.at(), "a term is missing here")),
        };
        Ok(if negative { Node::not(node) } else { node })
    }

    fn group(&mut self) -> Parsed<Node> {
        let open = self.cursor.at();
        if self.depth == Filter::DEPTH_MAX {
            let detail = format!("parentheses are nested more than {} deep", Filter::DEPTH_MAX);
            return Err(Fault::new(open, detail));
        }
        self.depth = self.depth.saturating_add(1);
        self.cursor.accept('(');
        let node = self.any()?;
        if !self.cursor.accept(')') {
            return Err(Fault::new(open, "this `(` is not closed"));
        }
        self.depth = self.depth.saturating_sub(1);
        if !self.cursor.is_at_boundary() {
            return Err(Fault::new(self.cursor.at(), "a space is missing after `)`"));
        }
        Ok(node)
    }

    fn term(&mut self) -> Parsed<Node> {
        let at = self.cursor.at();
        if let Some(word) = self.cursor.is_at_keyword() {
            let message = format!("`{word}` stands between two terms");
            return Err(
                Fault::new(at, message).hint(format!("write \"{word}\" to search for the word"))
            );
        }
        match self.cursor.name()? {
            None => self.words(),
            Some(segments) => {
                let name = name::resolve(at, &segments)?;
                self.values(&name)
            }
        }
    }

    fn values(&mut self, name: &Name) -> Parsed<Node> {
        let at = self.cursor.at();
        if self.cursor.is_at_boundary() {
            let message = format!("`{}:` stands right before a value", name.written);
            return Err(Fault::new(at, message).hint(format!(
                "`{0}:*` finds what has a value, `{0}:\"\"` an empty one",
                name.written
            )));
        }
        let tests =
            if self.cursor.accept('(') { self.list(at, name)? } else { vec![self.test(name)?] };
        Ok(Node::Term(Term { target: name.target.clone(), tests }))
    }

    /// Reads `a OR b)`; `open` is where the parenthesis stands.
    fn list(&mut self, open: usize, name: &Name) -> Parsed<Vec<Test>> {
        let mut tests = Vec::new();
        loop {
            self.cursor.skip_space();
            let at = self.cursor.at();
            match self.cursor.peek() {
                None => return Err(Fault::new(open, "this `(` is not closed")),
                Some('(' | ')') => return Err(Fault::new(at, "a value is missing here")),
                Some(_) if self.cursor.is_at_keyword().is_some() => {
                    return Err(Fault::new(at, "a value is missing here"));
                }
                Some(_) => tests.push(self.test(name)?),
            }
            self.cursor.skip_space();
            if self.cursor.keyword("OR") {
                continue;
            }
            if self.cursor.accept(')') {
                break;
            }
            let message = "`OR` or `)` is missing here";
            return Err(
                Fault::new(self.cursor.at(), message).hint("values with spaces stand in quotes")
            );
        }
        if !self.cursor.is_at_boundary() {
            return Err(Fault::new(self.cursor.at(), "a space is missing after `)`"));
        }
        Ok(tests)
    }

    fn test(&mut self, name: &Name) -> Parsed<Test> {
        self.count(self.cursor.at())?;
        let raw = self.cursor.value()?;
        value::read(name, &raw)
    }

    /// Reads a bare word or a phrase. Operators are a part of it.
    fn words(&mut self) -> Parsed<Node> {
        let at = self.cursor.at();
        self.count(at)?;
        let raw = self.cursor.value()?;
        let raw = match raw.quotes {
            Quotes::Present if raw.op != Op::Is => {
                return Err(Fault::new(at, format!("`{}` stands after a field's name", raw.op)));
            }
            Quotes::Present => raw,
            Quotes::Absent => {
                RawValue { text: format!("{}{}", raw.op, raw.text), op: Op::Is, ..raw }
            }
        };
        Ok(Node::Term(Term { target: Target::Anywhere, tests: vec![value::search(&raw)?] }))
    }

    fn count(&mut self, at: usize) -> Parsed<()> {
        if self.n_terms == Filter::TERMS_MAX {
            let detail = format!("a filter has at most {} terms", Filter::TERMS_MAX);
            return Err(Fault::new(at, detail));
        }
        self.n_terms = self.n_terms.saturating_add(1);
        Ok(())
    }
}
