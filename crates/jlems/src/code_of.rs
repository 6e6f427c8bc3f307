//! Which code belongs to which error.

use lems_document::DocumentError;
use lems_engine::{CheckpointError, EngineError};
use lems_expression::{DimensionError, ExpressionError};
use lems_ir::Fault;
use lems_model::ModelError;
use lems_network::NetworkError;
use lems_output::OutputError;
use lems_schema::SchemaError;

use crate::{Code, LimitError};

/// An error that has a stable number.
pub(crate) trait Coded {
    fn code(&self) -> Code;
}

impl Coded for DocumentError {
    fn code(&self) -> Code {
        use DocumentError::*;
        Code(match self {
            Malformed { .. } => 101,
            RootMissing { .. } => 102,
            MissingInclude { .. } => 103,
            NamelessInclude { .. } => 104,
            IncludeCycle { .. } => 105,
            UrlInclude { .. } => 106,
            Unreadable { .. } | NotText { .. } => 107,
            SourceTooLarge { .. } => 108,
            TooManySources { .. } => 109,
            IncludesTooDeep { .. } => 110,
            TooDeep { .. } => 111,
            TooManyElements { .. } => 112,
            UrlReplaced { .. } => 113,
            TooMuchText { .. } => 114,
            FoundElsewhere { .. } => 115,
            OtherLanguage { .. } => 116,
            TooManyAttributes { .. } => 130,
            TooManyPrefixes { .. } => 131,
        })
    }
}

impl Coded for ModelError {
    fn code(&self) -> Code {
        use ModelError::*;
        Code(match self {
            NotLems { .. } => 201,
            NoTarget { .. } => 202,
            NothingToRun { .. } => 203,
            MissingAttribute { .. } => 204,
            BadQuantity { .. } => 205,
            BadInteger { .. } => 206,
            BadNumber { .. } => 207,
            UnknownUnit { .. } => 208,
            UnknownDimension { .. } => 209,
            Conflict { .. } => 210,
            Duplicate { .. } | TransitionTwice { .. } | SharedId { .. } => 211,
            UnknownType { .. } => 212,
            InheritanceCycle { .. } => 213,
            PrototypeCycle { .. } => 214,
            DerivedParameterCycle { .. } => 215,
            MissingParameter { .. } => 216,
            UnknownAttribute { .. } => 217,
            WrongDimension { .. } => 218,
            UnknownComponent { .. } => 219,
            ChildNotAllowed { .. } => 221,
            UnresolvedParameterPath { .. } => 222,
            TooDeep { .. } => 223,
            TooManyDeclarations { .. } => 250,
            BadUnit { .. } => 224,
            Ignored { .. } => 225,
            VariableCycle { .. } => 226,
            HugeQuantity { .. } => 227,
            UnknownSibling { .. } => 228,
            HandlerBesideRegimes { .. } => 229,
            UnknownExposure { .. } => 240,
            BadChoice { .. } => 241,
            BadName { .. } => 242,
            UnknownList { .. } => 243,
            NoCase { .. } => 244,
            NeverAttached { .. } => 245,
            Repeated { .. } => 246,
            UselessAttribute { .. } => 247,
            Expression { error, .. } => return error.code(),
            Dimensions { error, .. } => return error.code(),
            Mismatch { .. } => 323,
            WrongKind { .. } => 324,
            UnknownVariable { .. } => 330,
            UnknownStateVariable { .. } => 331,
            UnknownPort { .. } => 332,
            UnknownRegime { .. } => 333,
            BadPath { .. } => 334,
            NoReduce { .. } => 335,
            UnknownReduce { .. } => 336,
        })
    }
}

impl Coded for ExpressionError {
    fn code(&self) -> Code {
        use ExpressionError::*;
        Code(match self {
            Empty { .. } => 301,
            TooLong { .. } => 302,
            TooDeep { .. } => 303,
            BadNumber { .. } => 304,
            UnexpectedCharacter { .. } => 305,
            UnknownOperator { .. } => 306,
            UnknownFunction { .. } => 307,
            MissingOperand { .. } => 308,
            MissingOperator { .. } => 309,
            UnclosedParenthesis { .. } => 310,
            UnopenedParenthesis { .. } => 311,
            ConditionAsNumber { .. } => 312,
            NumberAsCondition { .. } => 313,
        })
    }
}

impl Coded for DimensionError {
    fn code(&self) -> Code {
        use DimensionError::*;
        Code(match self {
            Mismatch { .. } => 320,
            NotDimensionless { .. } => 321,
            FractionalPower { .. } => 322,
            UnknownVariable { .. } => 330,
        })
    }
}

impl Coded for NetworkError {
    fn code(&self) -> Code {
        use NetworkError::*;
        Code(match self {
            NothingToRun { .. } => 203,
            UnknownFormat { .. } => 241,
            SameOutputId { .. } => 430,
            UnresolvedPath { .. } => 401,
            IndexTooLarge { .. } => 402,
            UnknownVariable { .. } => 403,
            UnmetRequirement { .. } => 404,
            UnknownPort { .. } | NotSent { .. } => 405,
            UnknownName { .. } => 406,
            NoAttachments { .. } | EmptyDestination { .. } => 407,
            BadCount { .. } => 408,
            BadStep { .. } => 409,
            BadLength { .. } => 410,
            TooManySteps { .. } => 411,
            BadSeed { .. } => 412,
            TooDeep { .. } => 413,
            TooManyInstances { .. } => 414,
            BadAssign { .. } => 415,
            Ignored { .. } => 416,
            BadEdge { .. } => 417,
            BadMorphology { .. } => 432,
            NoFileName { .. } => 418,
            MissingAttribute { .. } => 419,
            TooManyChildren { .. } => 420,
            OtherName { .. } => 421,
            BadSelection { .. } => 422,
            CircularSelection { .. } => 423,
            EndlessTransitions { .. } => 424,
            TooMuchMemory { .. } => 425,
            Nameless { .. } => 426,
            BadDelay { .. } => 428,
            BadScale { .. } => 429,
            TooLarge { .. } => 431,
            ConstantColumn { .. } => 440,
            ColumnTwice { .. } => 441,
            CoarseStep { .. } => 442,
            UnevenLength { .. } => 443,
        })
    }
}

impl Coded for EngineError {
    fn code(&self) -> Code {
        Code(match self {
            EngineError::NotFinite { .. } => 501,
            EngineError::Fault(Fault::EndlessRelay { .. }) => 502,
            EngineError::Checkpoint(error) => match error {
                CheckpointError::NotOne | CheckpointError::Damaged(_) => 541,
                CheckpointError::OtherVersion { .. } => 542,
                CheckpointError::OtherRun { .. } | CheckpointError::AfterTheEnd { .. } => 543,
            },
            EngineError::Fault(Fault::TooManyEvents { .. }) => 520,
            EngineError::Fault(Fault::Ended { .. }) => 523,
            EngineError::Fault(Fault::TooManyDeliveries { .. }) => 551,
            EngineError::Output(error) => match error {
                OutputError::MissingFolder { .. } => 503,
                OutputError::IsFolder { .. } => 504,
                OutputError::Create { .. } => 505,
                OutputError::Write { .. } => 506,
                OutputError::Finish { .. } => 507,
                OutputError::NotContinued { .. } => 544,
                OutputError::IsInput { .. } => 524,
                OutputError::SameFile { .. } => 529,
                OutputError::Outside { .. } => 526,
                OutputError::TooManyBytes { .. } => 528,
                _ => 508,
            },
        })
    }
}

impl Coded for SchemaError {
    fn code(&self) -> Code {
        use SchemaError::*;
        Code(match self {
            Document(error) => return error.code(),
            Unusable { .. } | SeveralFiles { .. } => 701,
            UndeclaredRoot { .. } | UnexpectedElement { .. } => 702,
            MissingElement { .. } => 703,
            UndeclaredAttribute { .. } => 704,
            MissingAttribute { .. } => 705,
            BadValue { .. } | StrayText { .. } => 706,
            Rule { .. } => 707,
        })
    }
}

impl Coded for LimitError {
    fn code(&self) -> Code {
        Code(match self {
            LimitError::Kernels { .. } => 521,
            LimitError::Statements { .. } => 522,
            LimitError::Time { .. } => 523,
            LimitError::Memory { .. } => 425,
            LimitError::OutputBytes { .. } => 528,
        })
    }
}
