//! The kinds of writes to Azure, and which of them were admitted.

/// A kind of write to Azure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Write {
    /// PUT.
    Put,
    /// DELETE.
    Delete,
}

/// What was admitted in this pass.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Admitted {
    put: bool,
    delete: bool,
}

impl Admitted {
    pub(super) fn add(&mut self, write: Write) {
        match write {
            Write::Put => self.put = true,
            Write::Delete => self.delete = true,
        }
    }

    /// It was sent: another one is another write.
    pub(super) fn spend(&mut self, write: Write) {
        match write {
            Write::Put => self.put = false,
            Write::Delete => self.delete = false,
        }
    }

    pub(super) fn has(self, write: Write) -> bool {
        match write {
            Write::Put => self.put,
            Write::Delete => self.delete,
        }
    }
}
