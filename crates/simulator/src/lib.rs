//! The other side of Indaba: WhatsApp gateways that need no WhatsApp, over real HTTP.
