//! `Simulation`: what to run and what to record.

use lems_document::{Attribute, Element};

/// One element of a type's `Simulation`; the values name attributes of the component.
#[derive(Debug, Clone, Copy)]
pub enum SimulationElement<'d> {
    /// `Run`.
    Run {
        /// Reference to the component to run.
        component: Attribute<'d>,
        /// Parameter with the step.
        increment: Attribute<'d>,
        /// Parameter with the length.
        total: Attribute<'d>,
    },
    /// `Record`.
    Record {
        /// Path attribute.
        quantity: Attribute<'d>,
        /// Parameter that the time is divided by.
        time_scale: Option<&'d str>,
        /// Parameter that the value is divided by.
        scale: Option<&'d str>,
        /// Text attribute with a colour.
        color: Option<&'d str>,
        /// Reference to the component that writes or shows it, instead of the one around.
        destination: Option<&'d str>,
        /// Its element.
        element: Element<'d>,
    },
    /// `EventRecord`.
    EventRecord {
        /// Path attribute.
        quantity: Attribute<'d>,
        /// Text attribute with the port.
        event_port: Option<&'d str>,
    },
    /// `DataDisplay`.
    DataDisplay {
        /// Text attribute.
        title: Option<&'d str>,
        /// Four parameters, comma-separated.
        data_region: Option<&'d str>,
    },
    /// `DataWriter`.
    DataWriter {
        /// Text attribute with a folder.
        path: Option<&'d str>,
        /// Text attribute with the name of the file.
        file_name: Option<&'d str>,
    },
    /// `EventWriter`.
    EventWriter {
        /// Text attribute with a folder.
        path: Option<&'d str>,
        /// Text attribute with the name of the file.
        file_name: Option<&'d str>,
        /// Text attribute: `TIME_ID` or `ID_TIME`.
        format: Option<&'d str>,
    },
}
