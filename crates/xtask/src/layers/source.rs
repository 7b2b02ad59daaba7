//! What a crate's source says of its modules: which there are, what each defines, what it takes in, what it names.
//!
//! Read from tokens and not from a syntax tree: what stands inside a macro's call is as much a reference as what stands
//! beside it, and a parser leaves it alone. Items for tests are passed over.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use anyhow::{Context as _, Result, anyhow};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A path as it is written, segment by segment. Without its line: to have that from tokens, all procedural macros of the
/// workspace would be built with another feature.
pub(crate) type Written = Vec<String>;

/// One name that a module takes in; None is a glob.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    pub(crate) name: Option<String>,
    pub(crate) path: Written,
}

/// One module. An inline one has the file that it stands in.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// From the crate's root, which has none.
    pub(crate) path: Vec<String>,
    /// Below the crate's `src`.
    pub(crate) file: PathBuf,
    pub(crate) parent: Option<usize>,
    pub(crate) children: BTreeMap<String, usize>,
    pub(crate) items: BTreeSet<String>,
    pub(crate) uses: Vec<Use>,
    /// Paths of two segments or more, wherever they stand.
    pub(crate) paths: Vec<Written>,
}

/// The words that begin an item with a name.
const ITEMS: &[&str] = &["fn", "struct", "enum", "union", "trait", "type", "const", "static"];

/// The modules of a crate, its root first.
pub(crate) fn read(src: &Path) -> Result<Vec<Module>> {
    let mut modules = vec![Module { file: "lib.rs".into(), ..Module::default() }];
    let mut reader = Reader { src, modules: &mut modules };
    reader.file(0, Path::new(""))?;
    Ok(modules)
}

struct Reader<'a> {
    src: &'a Path,
    modules: &'a mut Vec<Module>,
}

impl Reader<'_> {
    /// Reads a module's file. The files of its children lie in `folder`.
    fn file(&mut self, module: usize, folder: &Path) -> Result<()> {
        let path = self.src.join(&self.modules[module].file);
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let tokens = TokenStream::from_str(&text).map_err(|error| anyhow!("{error}"));
        let tokens = tokens.with_context(|| format!("read the tokens of {}", path.display()))?;
        self.items(module, folder, tokens)
    }

    /// Reads what stands at the level of items.
    fn items(&mut self, module: usize, folder: &Path, tokens: TokenStream) -> Result<()> {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            if let Some(end) = for_tests(&tokens, at) {
                at = end;
                continue;
            }
            let named = word(&tokens, at).zip(word(&tokens, at + 1));
            match (named, tokens.get(at + 2)) {
                (Some((mod_, name)), Some(TokenTree::Punct(end)))
                    if mod_ == "mod" && end.as_char() == ';' =>
                {
                    self.child(module, folder, &name)?;
                    at += 3;
                    continue;
                }
                (Some((mod_, name)), Some(TokenTree::Group(body))) if mod_ == "mod" => {
                    let file = self.modules[module].file.clone();
                    let inline = self.add(module, &name, file);
                    self.items(inline, &folder.join(&name), body.stream())?;
                    at += 3;
                    continue;
                }
                (Some((kind, name)), _) if ITEMS.contains(&kind.as_str()) => {
                    self.modules[module].items.insert(name);
                }
                _ => {}
            }
            // `macro_rules! name`
            if word(&tokens, at).as_deref() == Some("macro_rules")
                && let Some(name) = word(&tokens, at + 2)
            {
                self.modules[module].items.insert(name);
            }
            at = self.step(module, &tokens, at);
        }
        Ok(())
    }

    fn child(&mut self, module: usize, folder: &Path, name: &str) -> Result<()> {
        let files = [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")];
        let file = files.iter().find(|file| self.src.join(file).is_file());
        let file = file.with_context(|| format!("find the file of module {name} in {}", folder.display()))?;
        let child = self.add(module, name, file.clone());
        self.file(child, &folder.join(name))
    }

    fn add(&mut self, parent: usize, name: &str, file: PathBuf) -> usize {
        let mut path = self.modules[parent].path.clone();
        path.push(name.to_owned());
        self.modules.push(Module { path, file, parent: Some(parent), ..Module::default() });
        let child = self.modules.len() - 1;
        self.modules[parent].children.insert(name.to_owned(), child);
        child
    }

    /// Reads what stands within items: only names are of interest there.
    fn body(&mut self, module: usize, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at = for_tests(&tokens, at).unwrap_or_else(|| self.step(module, &tokens, at));
        }
    }

    /// Takes note of what begins at this token, and says where the next begins.
    fn step(&mut self, module: usize, tokens: &[TokenTree], at: usize) -> usize {
        match &tokens[at] {
            // `pub(in crate::a)` says who may see it.
            TokenTree::Ident(word) if word == "pub" => match tokens.get(at + 1) {
                Some(TokenTree::Group(scope)) if scope.delimiter() == Delimiter::Parenthesis => at + 2,
                _ => at + 1,
            },
            TokenTree::Ident(word) if word == "use" && !is_punct(tokens.get(at + 1), '<') => {
                let end = tokens[at..].iter().position(|token| is_punct(Some(token), ';'));
                let end = end.map_or(tokens.len(), |length| at + length);
                tree(&tokens[at + 1..end], &[], &mut self.modules[module].uses);
                end + 1
            }
            TokenTree::Ident(_) => {
                let (segments, end) = path(tokens, at);
                let after = at.checked_sub(1).map(|before| &tokens[before]);
                let continued = is_punct(after, ':') || is_punct(after, '.');
                if segments.len() > 1 && !continued {
                    self.modules[module].paths.push(segments);
                }
                end
            }
            TokenTree::Group(group) => {
                self.body(module, group.stream());
                at + 1
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => at + 1,
        }
    }
}

/// Identifiers joined by `::` from here on, and where they end.
fn path(tokens: &[TokenTree], at: usize) -> (Vec<String>, usize) {
    let (mut segments, mut at) = (Vec::new(), at);
    while let Some(segment) = word(tokens, at) {
        segments.push(segment);
        at += 1;
        if !(is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':'))
            || word(tokens, at + 2).is_none()
        {
            break;
        }
        at += 2;
    }
    (segments, at)
}

/// Flattens what follows `use`.
fn tree(tokens: &[TokenTree], before: &[String], uses: &mut Vec<Use>) {
    for branch in tokens.split(|token| is_punct(Some(token), ',')) {
        let (segments, end) = path(branch, 0);
        let whole = [before, &segments[..]].concat();
        let rest: Vec<&TokenTree> =
            branch[end..].iter().filter(|token| !is_punct(Some(token), ':')).collect();
        match rest.as_slice() {
            [TokenTree::Group(group)] => {
                tree(&group.stream().into_iter().collect::<Vec<_>>(), &whole, uses);
            }
            [TokenTree::Punct(star)] if star.as_char() == '*' => {
                uses.push(Use { name: None, path: whole });
            }
            // `as name`; `as _` names nothing, and is a reference all the same.
            [TokenTree::Ident(_), TokenTree::Ident(name)] => {
                uses.push(Use { name: Some(name.to_string()), path: whole });
            }
            _ => {
                let whole = if whole.last().is_some_and(|last| last == "self") && whole.len() > 1 {
                    &whole[..whole.len() - 1]
                } else {
                    &whole[..]
                };
                if let Some(name) = whole.last() {
                    uses.push(Use { name: Some(name.clone()), path: whole.to_vec() });
                }
            }
        }
    }
}

/// Where the item ends that begins here, if it is only there for tests.
fn for_tests(tokens: &[TokenTree], at: usize) -> Option<usize> {
    if !is_punct(tokens.get(at), '#') {
        return None;
    }
    let TokenTree::Group(attribute) = tokens.get(at + 1)? else { return None };
    if !is_cfg_test(attribute) {
        return None;
    }
    let mut at = at + 2;
    // More attributes, and who may see it.
    loop {
        if is_punct(tokens.get(at), '#') {
            at += 2;
        } else if word(tokens, at).as_deref() == Some("pub") {
            at += 1;
            if matches!(tokens.get(at), Some(TokenTree::Group(_))) {
                at += 1;
            }
        } else {
            break;
        }
    }
    let to_semicolon = ["use", "const", "static", "type"];
    let first = word(tokens, at).unwrap_or_default();
    // `const fn` has a body.
    let to_semicolon =
        to_semicolon.contains(&first.as_str()) && word(tokens, at + 1).as_deref() != Some("fn");
    let is_item = ITEMS.contains(&first.as_str())
        || ["mod", "impl", "macro_rules", "async", "unsafe"].contains(&first.as_str());
    let ends = |token: &TokenTree| match token {
        TokenTree::Punct(end) if end.as_char() == ';' => true,
        // A field, a variant, an arm.
        TokenTree::Punct(end) => end.as_char() == ',' && !is_item && !to_semicolon,
        TokenTree::Group(body) => body.delimiter() == Delimiter::Brace && !to_semicolon,
        TokenTree::Ident(_) | TokenTree::Literal(_) => false,
    };
    let length = tokens[at.min(tokens.len())..].iter().position(ends);
    Some(length.map_or(tokens.len(), |length| at + length + 1))
}

/// `[cfg(test)]`, or `[cfg(all(test, …))]`.
fn is_cfg_test(attribute: &Group) -> bool {
    let text = attribute.stream().to_string().replace(' ', "");
    text == "cfg(test)" || text.starts_with("cfg(all(test,")
}

fn word(tokens: &[TokenTree], at: usize) -> Option<String> {
    match tokens.get(at)? {
        TokenTree::Ident(word) => Some(word.to_string().trim_start_matches("r#").to_owned()),
        _ => None,
    }
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(found)) if found.as_char() == wanted)
}
