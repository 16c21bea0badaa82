/** What the live stream says: an event with its number, or one of the three frames without a number of their own. */
export interface Frame {
  seq?: number;
  kind: string;
  at?: string;
  ids?: Record<string, string>;
  patch?: Record<string, unknown>;
}

export type Status =
  | { is: "connecting" }
  | { is: "open" }
  /** Cut off; the next try is at `retryAt`. */
  | { is: "waiting"; retryAt: number; attempt: number }
  | { is: "offline" };

interface Options {
  /**
   * An event, in order, each number once. `age`: it happened at most so many milliseconds ago: 0 as it happens; what was missed, no
   * longer ago than the stream was cut. The times of server and device are not compared: a device's clock may be minutes off.
   */
  onFrame(frame: Frame, age: number): void;
  /** Too much was missed to be told one by one: everything must be read again. */
  onReset(): void;
  /** The first `hello` of this page: what was read before it may lack what happened in between. */
  onStart(): void;
  /** Is the session still good? Asked when a connection was refused. May throw when the server is away. */
  check(): Promise<unknown>;
}

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;
/** The server ends a stream with this code when its session has ended. */
const SIGNED_OUT = 4401;
const PULSE = 15_000;
/** A page that slept this long has a socket that is dead and does not know it. The timers of a hidden page may run once a minute only. */
const SLEPT = 90_000;

/** One WebSocket for the page. It comes back by itself and asks for what it missed by number: no gaps, no doubles. */
export class Live {
  #socket: WebSocket | undefined;
  #seq: number | undefined;
  #status: Status = { is: "connecting" };
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pulse: ReturnType<typeof setInterval> | undefined;
  #lastPulse = 0;
  /** When the stream was last known to be whole. */
  #cutAt: number | undefined;
  /** The events up to this number were missed, and so long the stream was cut. */
  #missed = { until: 0, age: 0 };
  #stopped = true;
  readonly #watchers = new Set<() => void>();
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  get status(): Status {
    return this.#status;
  }

  /** The number of the last event this page knows. */
  get seq(): number | undefined {
    return this.#seq;
  }

  watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  };

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    addEventListener("online", this.now);
    addEventListener("offline", this.#gone);
    document.addEventListener("visibilitychange", this.#seen);
    this.#lastPulse = Date.now();
    this.#pulse = setInterval(this.#woke, PULSE);
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    removeEventListener("online", this.now);
    removeEventListener("offline", this.#gone);
    document.removeEventListener("visibilitychange", this.#seen);
    clearInterval(this.#pulse);
    clearTimeout(this.#timer);
    this.#drop();
    this.#seq = undefined;
    this.#cutAt = undefined;
    this.#missed = { until: 0, age: 0 };
    this.#attempt = 0;
  }

  /** Tries at once, without waiting for the next turn. */
  now = (): void => {
    if (this.#stopped || this.#status.is === "open") return;
    this.#attempt = 0;
    this.#connect();
  };

  /** Says something to the server, if it can be heard. Nothing that must not be lost goes this way. */
  say(frame: Record<string, unknown>): boolean {
    if (this.#status.is !== "open" || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  #set(status: Status): void {
    this.#status = status;
    for (const watcher of this.#watchers) watcher();
  }

  #gone = (): void => {
    this.#cut();
    this.#drop();
    clearTimeout(this.#timer);
    this.#set({ is: "offline" });
  };

  /** Timers stand still while a machine sleeps: a late pulse means that we slept, and the socket with us. */
  #woke = (): void => {
    const late = Date.now() - this.#lastPulse > SLEPT;
    if (late) this.#cut();
    this.#lastPulse = Date.now();
    if (!late) return;
    this.#drop();
    this.#attempt = 0;
    this.#connect();
  };

  /** Somebody looks at the page again: they need not wait for the next turn. */
  #seen = (): void => {
    this.#woke();
    if (document.visibilityState === "visible" && this.#status.is === "waiting") this.now();
  };

  /** The stream broke: now, or, when the machine slept over it, soon after the last pulse. */
  #cut(): void {
    this.#cutAt ??= Math.min(Date.now(), this.#lastPulse + PULSE);
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #connect(): void {
    clearTimeout(this.#timer);
    this.#drop();
    if (this.#attempt === 0) this.#set({ is: "connecting" });
    const url = new URL("/api/live", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    if (this.#seq !== undefined) url.searchParams.set("after", String(this.#seq));
    const socket = new WebSocket(url);
    this.#socket = socket;
    let opened = false;
    socket.onopen = () => {
      opened = true;
    };
    socket.onmessage = (message) => {
      if (socket !== this.#socket) return;
      let frame: Frame;
      try {
        frame = JSON.parse(String(message.data));
      } catch {
        return;
      }
      this.#hear(frame);
    };
    socket.onclose = (event) => {
      if (socket !== this.#socket || this.#stopped) return;
      this.#cut();
      this.#socket = undefined;
      this.#later(opened && event.code !== SIGNED_OUT);
    };
  }

  #hear(frame: Frame): void {
    if (frame.kind === "hello") {
      const first = this.#seq === undefined;
      // With `after` the missed events follow; their numbers count, not the server's present one.
      if (first) this.#seq = frame.seq;
      else this.#missed = { until: frame.seq ?? 0, age: Date.now() - (this.#cutAt ?? Date.now()) };
      this.#cutAt = undefined;
      this.#attempt = 0;
      this.#set({ is: "open" });
      if (first) this.#options.onStart();
      return;
    }
    if (frame.kind === "reset") {
      if (frame.seq !== undefined) this.#seq = frame.seq;
      this.#options.onReset();
      return;
    }
    if (frame.seq !== undefined) {
      if (this.#seq !== undefined && frame.seq <= this.#seq) return;
      this.#seq = frame.seq;
    }
    this.#options.onFrame(frame, frame.seq !== undefined && frame.seq <= this.#missed.until ? this.#missed.age : 0);
  }

  /** Tries again in a while. `trusted`: the session was good when it broke. */
  #later(trusted: boolean): void {
    if (navigator.onLine === false) {
      this.#set({ is: "offline" });
      return;
    }
    this.#attempt += 1;
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (this.#attempt - 1)) * (0.75 + Math.random() / 2);
    this.#set({ is: "waiting", retryAt: Date.now() + wait, attempt: this.#attempt });
    this.#timer = setTimeout(async () => {
      // A handshake that was refused does not say why; an ordinary question does, and renews the session on its way.
      if (!trusted) await this.#options.check().catch(() => undefined);
      if (!this.#stopped && this.#status.is === "waiting") this.#connect();
    }, wait);
  }
}
