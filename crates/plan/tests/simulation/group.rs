//! A tiny network group: one member under our name, its state, and calls that go wrong by script.

use avnm_terms::{Fault, ProvisioningState};
use jiff::Timestamp;

use crate::{
    azure::{Author, Trouble},
    fixture::cut,
};

/// Which network a member names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    Wanted,
    Other,
}

/// The member in Azure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Joined {
    pub(crate) by: Author,
    pub(crate) names: Names,
    pub(crate) state: ProvisioningState,
}

impl Joined {
    pub(crate) fn new(by: Author, names: Names) -> Self {
        Self { by, names, state: ProvisioningState::Succeeded }
    }
}

/// Azure as far as one member is concerned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    pub(crate) member: Option<Joined>,
    pub(crate) elsewhere: bool,
    pub(crate) network: bool,
    /// So many PUTs end in Failed.
    pub(crate) fails: u32,
    pub(crate) trouble: Option<(Trouble, u32)>,
    pub(crate) coming: Vec<(Timestamp, bool)>,
    pub(crate) hidden: u32,
    pub(crate) puts: u32,
    pub(crate) deletes: u32,
}

impl Group {
    pub(crate) fn new(member: Option<Joined>) -> Self {
        Self {
            member,
            elsewhere: false,
            network: true,
            fails: 0,
            trouble: None,
            coming: Vec::new(),
            hidden: 0,
            puts: 0,
            deletes: 0,
        }
    }

    fn take(&mut self, is: impl Fn(Trouble) -> bool) -> Option<Trouble> {
        match &mut self.trouble {
            Some((trouble, times)) if *times > 0 && is(*trouble) => {
                *times -= 1;
                Some(*trouble)
            }
            _ => None,
        }
    }

    pub(crate) fn read(&mut self) -> Result<Option<Joined>, Fault> {
        if let Some(Trouble::Read(wrong)) = self.take(|one| matches!(one, Trouble::Read(_))) {
            return Err(wrong.fault());
        }
        if self.hidden > 0 {
            self.hidden -= 1;
            return Ok(None);
        }
        Ok(self.member.clone())
    }

    fn made(&mut self) {
        let by = self.member.as_ref().map_or(Author::Us, |member| member.by);
        self.member = Some(Joined { by, names: Names::Wanted, state: ProvisioningState::Updating });
    }

    pub(crate) fn put(&mut self, now: Timestamp) -> Result<(), Fault> {
        self.puts += 1;
        let is_put = |one| {
            matches!(
                one,
                Trouble::Put(_) | Trouble::PutCutAfter | Trouble::PutCutLater(_) | Trouble::PutNotShown
            )
        };
        match self.take(is_put) {
            Some(Trouble::Put(wrong)) => return Err(wrong.fault()),
            Some(Trouble::PutCutAfter) => {
                self.made();
                return Err(cut());
            }
            Some(Trouble::PutCutLater(after)) => {
                self.coming.push((now + after, true));
                return Err(cut());
            }
            Some(Trouble::PutNotShown) => self.hidden = 2,
            _ => {}
        }
        self.made();
        Ok(())
    }

    pub(crate) fn delete(&mut self, now: Timestamp) -> Result<(), Fault> {
        self.deletes += 1;
        let is_delete =
            |one| matches!(one, Trouble::Delete(_) | Trouble::DeleteCutAfter | Trouble::DeleteLater(_));
        match self.take(is_delete) {
            Some(Trouble::Delete(wrong)) => return Err(wrong.fault()),
            Some(Trouble::DeleteCutAfter) => {
                self.member = None;
                return Err(cut());
            }
            Some(Trouble::DeleteLater(after)) => {
                self.coming.push((now + after, false));
                return Ok(());
            }
            _ => {}
        }
        self.member = None;
        Ok(())
    }

    /// Time passes: effects come, and what is Updating ends.
    pub(crate) fn advance(&mut self, now: Timestamp) {
        let due: Vec<bool> = self.coming.iter().filter(|(at, _)| *at <= now).map(|(_, made)| *made).collect();
        self.coming.retain(|(at, _)| *at > now);
        if let Some(member) = self.member.as_mut().filter(|one| one.state == ProvisioningState::Updating) {
            member.state =
                if self.fails > 0 { ProvisioningState::Failed } else { ProvisioningState::Succeeded };
            self.fails = self.fails.saturating_sub(1);
        }
        for made in due {
            if made {
                self.made();
            } else {
                self.member = None;
            }
        }
    }
}
