//! Finds where a value ends without reading it.

use super::plain::unquoted_len;
use super::{Kind, Scanner};
use crate::position::Admission;

impl Scanner<'_> {
    /// Skips one value of any kind, checking only its brackets and quotes, within the depth limit.
    /// What else is wrong with it is for whoever reads the value.
    pub(crate) fn skip(&mut self) -> Admission<()> {
        match self.kind()? {
            Kind::Object => self.skip_members(b'}', true),
            Kind::List => self.skip_members(b']', false),
            Kind::String => self.skip_string(),
            Kind::Number => self.number().map(drop),
            Kind::Bool => self.boolean().map(drop),
            Kind::Null => self.null(),
        }
    }

    fn skip_members(&mut self, close: u8, keyed: bool) -> Admission<()> {
        self.advance();
        self.enter()?;
        if !self.accept(close) {
            loop {
                if keyed {
                    self.skip_key()?;
                }
                self.skip()?;
                if !self.accept(b',') {
                    break;
                }
            }
            self.expect(close)?;
        }
        self.leave();
        Ok(())
    }

    fn skip_key(&mut self) -> Admission<()> {
        self.skip_space();
        if self.plain_key().is_none() {
            self.skip_string()?;
            self.expect(b':')?;
        }
        Ok(())
    }

    fn skip_string(&mut self) -> Admission<()> {
        self.expect(b'"')?;
        loop {
            let rest = self.bytes().get(self.at..).unwrap_or(&[]);
            self.at = self.at.saturating_add(unquoted_len(rest));
            match self.byte() {
                Some(b'"') => {
                    self.advance();
                    return Ok(());
                }
                // A backslash; what it escapes is never the end.
                Some(_) => {
                    self.advance();
                    self.advance();
                }
                None => return Err(self.unexpected("the end of the string (`\"`)")),
            }
        }
    }
}
