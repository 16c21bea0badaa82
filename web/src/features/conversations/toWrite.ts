/** What goes along to a conversation that is opened in order to write: its composer has the focus then. */
export const toWrite = { write: true };
