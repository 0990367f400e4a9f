//! Reads a statement and refuses what is not one SELECT over `events`.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::execution::SessionState;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{
    self, BinaryOperator, Expr, ObjectName, Query, Select, SetExpr, TableFactor, Visit, Visitor,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use super::statement_error;
use crate::Error;

/// The one table.
pub(crate) const TABLE: &str = "events";
/// The longest statement that is read.
const TEXT_BYTES_MAX: usize = 16 * 1024;
/// The most words and signs: no chain of operators is deeper than that.
const TOKENS_MAX: usize = 2000;
/// The deepest nesting.
const DEPTH_MAX: usize = 50;

const ONE_SELECT: &str = "write one SELECT; WITH may come before it";
const ONE_TABLE: &str = "the one table is `events`";
const LISTED: &str = "the functions are listed in docs/reference/analyze.md";
const GROWS: &str = "texts cannot be joined or repeated, only taken apart";

/// Reads a statement.
///
/// # Errors
/// [`Error::NotAllowed`] names the first part that is refused.
pub(crate) fn parse(text: &str, state: &SessionState) -> Result<Statement, Error> {
    if text.len() > TEXT_BYTES_MAX {
        let what = format!("a statement of more than {TEXT_BYTES_MAX} bytes");
        return Err(Error::NotAllowed { what, hint: ONE_SELECT });
    }
    let dialect = GenericDialect {};
    let tokens = Tokenizer::new(&dialect, text)
        .tokenize()
        .map_err(|error| Error::Statement { message: error.to_string() })?;
    if tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_))).count() > TOKENS_MAX {
        let what = format!("a statement of more than {TOKENS_MAX} words and signs");
        return Err(Error::NotAllowed { what, hint: ONE_SELECT });
    }
    let mut statements = DFParserBuilder::new(text)
        .with_dialect(&dialect)
        .with_recursion_limit(DEPTH_MAX)
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(|error| statement_error(error.find_root()))?;
    let refuse = |what: &str| Error::NotAllowed { what: what.to_owned(), hint: ONE_SELECT };
    let statement = statements.pop_front().ok_or_else(|| refuse("an empty statement"))?;
    if !statements.is_empty() {
        return Err(refuse("more than one statement"));
    }
    let Statement::Statement(parsed) = &statement else {
        return Err(refuse("any statement but a SELECT"));
    };
    let ast::Statement::Query(query) = parsed.as_ref() else {
        return Err(refuse("any statement but a SELECT"));
    };
    let mut check = Check { state, named: HashSet::new() };
    match query.visit(&mut check) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(statement),
    }
}

/// Walks over a query and stops at what is refused.
struct Check<'a> {
    state: &'a SessionState,
    /// The names that WITH gives.
    named: HashSet<String>,
}

fn refuse(what: impl Into<String>, hint: &'static str) -> ControlFlow<Error> {
    ControlFlow::Break(Error::NotAllowed { what: what.into(), hint })
}

/// Returns a name as the engine looks it up.
fn plain(name: &ObjectName) -> String {
    let parts: Vec<String> = name
        .0
        .iter()
        .map(|part| match part.as_ident() {
            Some(ident) if ident.quote_style.is_none() => ident.value.to_lowercase(),
            Some(ident) => ident.value.clone(),
            None => part.to_string(),
        })
        .collect();
    parts.join(".").chars().take(64).collect()
}

impl Check<'_> {
    fn has_function(&self, name: &str) -> bool {
        self.state.scalar_functions().contains_key(name)
            || self.state.aggregate_functions().contains_key(name)
            || self.state.window_functions().contains_key(name)
    }
}

impl Visitor for Check<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        if let Some(with) = &query.with {
            if with.recursive {
                return refuse("WITH RECURSIVE", ONE_SELECT);
            }
            self.named.extend(with.cte_tables.iter().map(|cte| {
                let name = &cte.alias.name;
                if name.quote_style.is_none() {
                    name.value.to_lowercase()
                } else {
                    name.value.clone()
                }
            }));
        }
        if !query.locks.is_empty() || query.for_clause.is_some() {
            return refuse("FOR", ONE_SELECT);
        }
        if query.settings.is_some() || query.format_clause.is_some() {
            return refuse("SETTINGS or FORMAT", ONE_SELECT);
        }
        match query.body.as_ref() {
            SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::SetOperation { .. } => {
                ControlFlow::Continue(())
            }
            SetExpr::Values(_) => refuse("VALUES", ONE_SELECT),
            _ => refuse("any statement but a SELECT", ONE_SELECT),
        }
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Error> {
        if select.into.is_some() { refuse("INTO", ONE_SELECT) } else { ControlFlow::Continue(()) }
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<Error> {
        match table {
            TableFactor::Table { args: None, .. }
            | TableFactor::Derived { .. }
            | TableFactor::NestedJoin { .. } => ControlFlow::Continue(()),
            TableFactor::Table { name, .. } | TableFactor::Function { name, .. } => {
                refuse(format!("the table function `{}`", plain(name)), ONE_TABLE)
            }
            _ => refuse("a table function", ONE_TABLE),
        }
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<Error> {
        let name = plain(relation);
        if name == TABLE || self.named.contains(&name) {
            return ControlFlow::Continue(());
        }
        refuse(format!("the table `{name}`"), ONE_TABLE)
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Error> {
        match expr {
            Expr::Function(function) => {
                let name = plain(&function.name);
                if self.has_function(&name) {
                    return ControlFlow::Continue(());
                }
                refuse(format!("the function `{name}`"), LISTED)
            }
            // A text that doubles a few dozen times is all the memory there is.
            Expr::BinaryOp { op: BinaryOperator::StringConcat, .. } => {
                refuse("the operator `||`", GROWS)
            }
            Expr::Overlay { .. } => refuse("the function `overlay`", GROWS),
            _ => ControlFlow::Continue(()),
        }
    }
}
