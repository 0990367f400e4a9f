//! Reads the header of a Parquet page: Thrift's compact protocol, the fields that are needed.

/// The deepest nesting that is skipped.
const DEPTH_MAX: u32 = 8;

/// What a page is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PageKind {
    /// Values and their levels, both compressed.
    Data,
    /// The values that codes stand for.
    Dictionary,
}

/// How the values of a page are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum PageEncoding {
    Plain,
    Codes,
    Delta,
    Split,
}

/// The header of a page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct PageHeader {
    pub(crate) kind: PageKind,
    pub(crate) encoding: PageEncoding,
    /// How many values the page has, absent ones included.
    pub(crate) n_values: usize,
    /// The length of the page's body once it is decompressed.
    pub(crate) n_bytes: usize,
    /// The length of the page's body in the file.
    pub(crate) n_stored: usize,
}

impl PageHeader {
    /// Reads the header that bytes start with and returns what follows it.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let mut reader = Reader { bytes };
        let (mut kind, mut n_bytes, mut n_stored, mut inner) = (None, None, None, None);
        reader.fields(DEPTH_MAX, &mut |reader, id, wire, depth| {
            match (id, wire) {
                (1, Wire::I32) => kind = Some(reader.zigzag()?),
                (2, Wire::I32) => n_bytes = Some(reader.length()?),
                (3, Wire::I32) => n_stored = Some(reader.length()?),
                (5 | 7, Wire::Struct) => inner = Some(reader.values(depth)?),
                _ => reader.skip(wire, depth)?,
            }
            Some(())
        })?;
        let kind = match kind? {
            0 => PageKind::Data,
            2 => PageKind::Dictionary,
            _ => return None,
        };
        let (n_values, encoding) = inner?;
        let encoding = match encoding {
            0 => PageEncoding::Plain,
            // In a dictionary page 2 is the plain encoding by another name.
            2 if kind == PageKind::Dictionary => PageEncoding::Plain,
            2 | 8 => PageEncoding::Codes,
            5 => PageEncoding::Delta,
            9 => PageEncoding::Split,
            _ => return None,
        };
        let (n_bytes, n_stored) = (n_bytes?, n_stored?);
        Some((Self { kind, encoding, n_values, n_bytes, n_stored }, reader.bytes))
    }
}

/// What a Thrift value looks like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Wire {
    Bool,
    Byte,
    I32,
    Long,
    Double,
    Binary,
    List,
    Struct,
}

impl Wire {
    fn of(number: u8) -> Option<Self> {
        Some(match number {
            1 | 2 => Self::Bool,
            3 => Self::Byte,
            5 => Self::I32,
            4 | 6 => Self::Long,
            7 => Self::Double,
            8 => Self::Binary,
            9 | 10 => Self::List,
            12 => Self::Struct,
            _ => return None,
        })
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
}

type Visit<'v, 'a> = dyn FnMut(&mut Reader<'a>, i64, Wire, u32) -> Option<()> + 'v;

impl<'a> Reader<'a> {
    /// Calls `visit` with each field of a struct; it must read the field's value.
    fn fields(&mut self, depth: u32, visit: &mut Visit<'_, 'a>) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        let mut id = 0_i64;
        loop {
            let byte = self.byte()?;
            if byte == 0 {
                return Some(());
            }
            let step = byte >> 4;
            id = if step == 0 { self.zigzag()? } else { id.checked_add(i64::from(step))? };
            visit(self, id, Wire::of(byte & 0x0f)?, depth)?;
        }
    }

    /// Reads the header inside the header: how many values, and their encoding.
    fn values(&mut self, depth: u32) -> Option<(usize, i64)> {
        let (mut n_values, mut encoding) = (None, None);
        self.fields(depth, &mut |reader, id, wire, depth| {
            match (id, wire) {
                (1, Wire::I32) => n_values = Some(reader.length()?),
                (2, Wire::I32) => encoding = Some(reader.zigzag()?),
                _ => reader.skip(wire, depth)?,
            }
            Some(())
        })?;
        Some((n_values?, encoding?))
    }

    fn skip(&mut self, wire: Wire, depth: u32) -> Option<()> {
        match wire {
            Wire::Bool => {}
            Wire::Byte => drop(self.byte()?),
            Wire::I32 | Wire::Long => drop(self.varint()?),
            Wire::Double => self.take(8)?,
            Wire::Binary => {
                let length = usize::try_from(self.varint()?).ok()?;
                self.take(length)?;
            }
            Wire::List => self.skip_list(depth)?,
            Wire::Struct => {
                self.fields(depth, &mut |reader, _id, wire, depth| reader.skip(wire, depth))?;
            }
        }
        Some(())
    }

    fn skip_list(&mut self, depth: u32) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        let byte = self.byte()?;
        let length = match byte >> 4 {
            15 => self.varint()?,
            length => u64::from(length),
        };
        let wire = Wire::of(byte & 0x0f)?;
        for _ in 0..length {
            match wire {
                // Inside a list a truth value has a byte of its own.
                Wire::Bool => drop(self.byte()?),
                _ => self.skip(wire, depth)?,
            }
        }
        Some(())
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*byte)
    }

    fn take(&mut self, length: usize) -> Option<()> {
        self.bytes = self.bytes.get(length..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64_u32).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i64> {
        self.varint().map(super::delta::unzigzag)
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.zigzag()?).ok()
    }
}
