//! The part of the query language that finds resources by type, tags, names and places:
//! `Resources | where … | project … | order by … | limit …`. What it does not know it refuses, and says so.

use std::cmp::Ordering;

use serde_json::{Map, Value};

type Row = Map<String, Value>;

/// A query that was understood.
#[derive(Debug)]
pub(super) struct Query {
    stages: Vec<Stage>,
}

#[derive(Debug)]
enum Stage {
    Where(Test),
    Project(Vec<String>),
    Order(Vec<(Field, bool)>),
    Limit(usize),
}

#[derive(Debug)]
enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    Empty(Field),
    Compare(Field, Operator, Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equals { cased: bool },
    Contains,
    StartsWith,
    EndsWith,
}

/// A column, or an entry of the column `tags`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    column: String,
    entry: Option<String>,
}

impl Field {
    fn of<'a>(&self, row: &'a Row) -> Option<&'a Value> {
        let column =
            row.iter().find(|(name, _)| name.eq_ignore_ascii_case(&self.column)).map(|(_, value)| value)?;
        match &self.entry {
            Some(entry) => column.get(entry),
            None => Some(column),
        }
    }

    fn text(&self, row: &Row) -> String {
        match self.of(row) {
            Some(Value::String(text)) => text.clone(),
            None | Some(Value::Null) => String::new(),
            Some(other) => other.to_string(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Sign(&'static str),
}

const SIGNS: &[&str] = &["=~", "!~", "==", "!=", "|", "(", ")", "[", "]", ",", "."];
const COLUMNS: &[&str] = &[
    "id",
    "name",
    "type",
    "tenantId",
    "kind",
    "location",
    "resourceGroup",
    "subscriptionId",
    "tags",
    "properties",
];

impl Query {
    /// Reads a query; the error says what was not understood.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens: &tokens, at: 0 };
        let table = parser.word().ok_or("a query begins with the name of a table")?;
        if !table.eq_ignore_ascii_case("resources") {
            return Err(format!("only the table Resources is there, not {table}"));
        }
        let mut stages = Vec::new();
        while parser.take("|") {
            stages.push(parser.stage()?);
        }
        match parser.peek() {
            None => Ok(Self { stages }),
            Some(token) => Err(format!("{token:?} was not expected")),
        }
    }

    /// Whether a column is in the result.
    pub(super) fn shows(&self, column: &str) -> bool {
        let last = self.stages.iter().rev().find_map(|stage| match stage {
            Stage::Project(columns) => Some(columns),
            _ => None,
        });
        last.is_none_or(|columns| columns.iter().any(|it| it.eq_ignore_ascii_case(column)))
    }

    /// The rows that are left.
    pub(super) fn run(&self, mut rows: Vec<Row>) -> Vec<Row> {
        for stage in &self.stages {
            match stage {
                Stage::Where(test) => rows.retain(|row| test.holds(row)),
                Stage::Project(columns) => {
                    for row in &mut rows {
                        let named = columns.iter().filter_map(|name| {
                            let field = Field { column: name.clone(), entry: None };
                            Some((name.clone(), field.of(row)?.clone()))
                        });
                        *row = named.collect();
                    }
                }
                Stage::Order(by) => rows.sort_by(|one, other| {
                    by.iter().fold(Ordering::Equal, |so_far, (field, descending)| {
                        so_far.then_with(|| {
                            let order = field.text(one).cmp(&field.text(other));
                            if *descending { order.reverse() } else { order }
                        })
                    })
                }),
                Stage::Limit(count) => rows.truncate(*count),
            }
        }
        rows
    }
}

impl Test {
    fn holds(&self, row: &Row) -> bool {
        match self {
            Self::All(tests) => tests.iter().all(|test| test.holds(row)),
            Self::Any(tests) => tests.iter().any(|test| test.holds(row)),
            Self::Not(test) => !test.holds(row),
            Self::Empty(field) => field.text(row).is_empty(),
            Self::Compare(field, operator, values) => {
                let text = field.text(row);
                values.iter().any(|value| operator.holds(&text, value))
            }
        }
    }
}

impl Operator {
    fn holds(self, text: &str, value: &str) -> bool {
        let (low, wanted) = (text.to_lowercase(), value.to_lowercase());
        match self {
            Self::Equals { cased: true } => text == value,
            Self::Equals { cased: false } => low == wanted,
            Self::Contains => low.contains(&wanted),
            Self::StartsWith => low.starts_with(&wanted),
            Self::EndsWith => low.ends_with(&wanted),
        }
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(it)) if *it == sign);
        self.at += usize::from(found);
        found
    }

    fn keyword(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(it)) if it.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn word(&mut self) -> Option<String> {
        let Some(Token::Word(word)) = self.peek() else { return None };
        let word = word.clone();
        self.at += 1;
        Some(word)
    }

    fn text(&mut self) -> Result<String, String> {
        let Some(Token::Text(text)) = self.peek() else {
            return Err(format!("a text in quotes was expected, not {:?}", self.peek()));
        };
        let text = text.clone();
        self.at += 1;
        Ok(text)
    }

    fn need(&mut self, sign: &str) -> Result<(), String> {
        if self.take(sign) { Ok(()) } else { Err(format!("{sign} was expected, not {:?}", self.peek())) }
    }

    fn stage(&mut self) -> Result<Stage, String> {
        let word = self.word().ok_or("an operator was expected behind |")?;
        match word.to_ascii_lowercase().as_str() {
            "where" => self.any().map(Stage::Where),
            "project" => {
                let mut columns = vec![self.column()?];
                while self.take(",") {
                    columns.push(self.column()?);
                }
                Ok(Stage::Project(columns))
            }
            "order" | "sort" => {
                if !self.keyword("by") {
                    return Err(format!("by was expected behind {word}"));
                }
                let mut by = Vec::new();
                loop {
                    let field = self.field()?;
                    // The language sorts downwards unless told otherwise.
                    let descending = !self.keyword("asc");
                    if descending {
                        self.keyword("desc");
                    }
                    by.push((field, descending));
                    if !self.take(",") {
                        return Ok(Stage::Order(by));
                    }
                }
            }
            "limit" | "take" => {
                let count = self.word().and_then(|word| word.parse().ok());
                count.map(Stage::Limit).ok_or_else(|| format!("a number was expected behind {word}"))
            }
            _ => Err(format!("{word} is not one of where, project, order by, sort by, limit, take")),
        }
    }

    fn any(&mut self) -> Result<Test, String> {
        let mut tests = vec![self.all()?];
        while self.keyword("or") {
            tests.push(self.all()?);
        }
        Ok(Test::Any(tests))
    }

    fn all(&mut self) -> Result<Test, String> {
        let mut tests = vec![self.one()?];
        while self.keyword("and") {
            tests.push(self.one()?);
        }
        Ok(Test::All(tests))
    }

    fn one(&mut self) -> Result<Test, String> {
        if self.take("(") {
            let inner = self.any()?;
            self.need(")")?;
            return Ok(inner);
        }
        for (name, empty) in [("isempty", true), ("isnotempty", false)] {
            if self.keyword(name) {
                self.need("(")?;
                let test = Test::Empty(self.field()?);
                self.need(")")?;
                return Ok(if empty { test } else { Test::Not(Box::new(test)) });
            }
        }
        if self.keyword("not") {
            self.need("(")?;
            let inner = self.any()?;
            self.need(")")?;
            return Ok(Test::Not(Box::new(inner)));
        }
        let field = self.field()?;
        self.compare(field)
    }

    fn compare(&mut self, field: Field) -> Result<Test, String> {
        let equals = |cased| Operator::Equals { cased };
        for (sign, operator, negated) in [
            ("==", equals(true), false),
            ("=~", equals(false), false),
            ("!=", equals(true), true),
            ("!~", equals(false), true),
        ] {
            if self.take(sign) {
                let test = Test::Compare(field, operator, vec![self.text()?]);
                return Ok(if negated { Test::Not(Box::new(test)) } else { test });
            }
        }
        let word = self.word().ok_or_else(|| format!("a comparison was expected, not {:?}", self.peek()))?;
        let operator = match word.to_ascii_lowercase().as_str() {
            "in" => return Ok(Test::Compare(field, equals(true), self.list()?)),
            "in~" => return Ok(Test::Compare(field, equals(false), self.list()?)),
            "contains" => Operator::Contains,
            "startswith" => Operator::StartsWith,
            "endswith" => Operator::EndsWith,
            _ => return Err(format!("{word} is not a comparison that is understood here")),
        };
        Ok(Test::Compare(field, operator, vec![self.text()?]))
    }

    fn list(&mut self) -> Result<Vec<String>, String> {
        self.need("(")?;
        let mut values = vec![self.text()?];
        while self.take(",") {
            values.push(self.text()?);
        }
        self.need(")")?;
        Ok(values)
    }

    fn column(&mut self) -> Result<String, String> {
        let word = self.word().ok_or_else(|| format!("a column was expected, not {:?}", self.peek()))?;
        let known = COLUMNS.iter().find(|column| column.eq_ignore_ascii_case(&word));
        known.map(ToString::to_string).ok_or_else(|| format!("there is no column {word}"))
    }

    fn field(&mut self) -> Result<Field, String> {
        if self.keyword("tostring") {
            self.need("(")?;
            let field = self.field()?;
            self.need(")")?;
            return Ok(field);
        }
        let column = self.column()?;
        let mut entry = None;
        if self.take("[") {
            entry = Some(self.text()?);
            self.need("]")?;
        } else if self.take(".") {
            entry = Some(self.word().ok_or("a name was expected behind the dot")?);
        }
        if entry.is_some() && column != "tags" {
            return Err(format!("only tags have entries here, not {column}"));
        }
        Ok(Field { column, entry })
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '\'' || first == '"' {
            let (value, length) = quoted(rest, first)?;
            found.push(Token::Text(value));
            rest = &rest[length..];
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            found.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '~');
            let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
            if end == 0 {
                return Err(format!("{first} was not expected"));
            }
            found.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Ok(found)
}

/// The text in quotes at the beginning, and its length with them. A backslash escapes.
fn quoted(text: &str, quote: char) -> Result<(String, usize), String> {
    let mut value = String::new();
    let mut rest = text.char_indices().skip(1);
    while let Some((at, c)) = rest.next() {
        match c {
            '\\' => value.push(rest.next().ok_or("the query ends in a backslash")?.1),
            c if c == quote => return Ok((value, at + 1)),
            c => value.push(c),
        }
    }
    Err("a text in quotes does not end".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows() -> Vec<Row> {
        let all = json!([
            {"id": "/a", "name": "one", "type": "microsoft.network/virtualnetworks", "tags": {"env": "Prod", "o'": "x"}},
            {"id": "/b", "name": "two", "type": "microsoft.network/virtualnetworks", "tags": {}},
        ]);
        serde_json::from_value(all).unwrap()
    }

    fn ids(query: &str) -> Vec<String> {
        let rows = Query::parse(query).unwrap_or_else(|error| panic!("{query}: {error}")).run(rows());
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn networks_are_found_by_tag() {
        let kind = "resources | where type =~ 'Microsoft.Network/virtualNetworks'";
        assert_eq!(
            ids(&format!("{kind} and tags['env'] =~ 'prod' | project id, name | order by id asc")),
            ["/a"]
        );
        assert!(ids(&format!("{kind} and tags.env == 'prod'")).is_empty(), "== looks at the case");
        assert_eq!(ids(&format!("{kind} and isempty(tags['env'])")), ["/b"]);
        assert_eq!(ids(&format!("{kind} and (tags.env == 'Prod' or name in~ ('TWO'))")), ["/a", "/b"]);
        assert_eq!(ids(&format!("{kind} | where not(name startswith 'T')")), ["/a"]);
        assert_eq!(ids(r"Resources | where tags['o\''] == 'x'"), ["/a"]);
    }

    #[test]
    fn the_order_is_downwards_unless_told_otherwise() {
        assert_eq!(ids("Resources | order by name"), ["/b", "/a"]);
        assert_eq!(ids("Resources | sort by name asc | take 1"), ["/a"]);
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (query, part) in [
            ("", "table"),
            ("Resources | join x", "join"),
            ("Resources | where tags['a' == 'b'", "]"),
            ("Resources | where colour == 'red'", "colour"),
            ("Resources | where name == 'red", "does not end"),
            ("Resources | where name has 'red'", "has"),
            ("Resources; drop", ";"),
        ] {
            let error = Query::parse(query).unwrap_err();
            assert!(error.contains(part), "{query}: {error}");
        }
    }

    #[test]
    fn the_id_is_shown_unless_it_was_left_out() {
        assert!(Query::parse("Resources").unwrap().shows("id"));
        assert!(!Query::parse("Resources | project name").unwrap().shows("id"));
    }
}
