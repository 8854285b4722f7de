//! Expressions as text, with the brackets that they need and no others.

use std::fmt;

use super::token::{begins_path, is_reserved};
use super::{Expression, Node, Operator};
use crate::value::Path;

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How strongly an expression holds together. One stands in brackets where a stronger one is needed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    Any,
    All,
    Not,
    Compare,
    Operand,
}

impl Node {
    fn strength(&self) -> Strength {
        match self {
            Self::Any(_) => Strength::Any,
            Self::All(_) => Strength::All,
            Self::Not(_) => Strength::Not,
            Self::Compare(..) => Strength::Compare,
            Self::Literal(_) | Self::Path(_) | Self::List(_) | Self::Length(_) => Strength::Operand,
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(value) => value.fmt(f),
            Self::Path(path) => write_path(path, f),
            Self::List(items) => {
                f.write_str("[")?;
                write_joined(items, ", ", Strength::Any, f)?;
                f.write_str("]")
            }
            Self::Length(inner) => write!(f, "len({inner})"),
            Self::Not(inner) => write!(f, "not {}", AtLeast(Strength::Not, inner)),
            Self::All(parts) => write_joined(parts, " and ", Strength::Not, f),
            Self::Any(parts) => write_joined(parts, " or ", Strength::All, f),
            Self::Compare(left, operator, right) => {
                write!(f, "{} {operator} {}", AtLeast(Strength::Operand, left), AtLeast(Strength::Operand, right))
            }
        }
    }
}

struct AtLeast<'a>(Strength, &'a Node);

impl fmt::Display for AtLeast<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(needed, node) = self;
        if node.strength() < *needed { write!(f, "({node})") } else { node.fmt(f) }
    }
}

fn write_joined(parts: &[Node], between: &str, needed: Strength, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    parts.iter().enumerate().try_for_each(|(at, part)| {
        let before = if at == 0 { "" } else { between };
        write!(f, "{before}{}", AtLeast(needed, part))
    })
}

fn write_path(path: &Path, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let first = path.segments().first().map_or("", |first| first.key());
    if begins_path(first) && !is_reserved(first) { write!(f, "{path}") } else { write!(f, "{}", path.rooted()) }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::Contains => "contains",
        })
    }
}
