// Who is told of sign-ins and sign-outs.
import type { Events } from './accountd';

type Listener<Name extends keyof Events> = (event: Events[Name]) => void;

export class Announcer {
  private readonly listeners: { [Name in keyof Events]: Set<Listener<Name>> } = {
    'signed-in': new Set(),
    'signed-out': new Set(),
  };
  private readonly queued: (() => void)[] = [];

  on<Name extends keyof Events>(name: Name, listener: Listener<Name>): () => void {
    const set = this.listeners[name] as Set<Listener<Name>>;
    set.add(listener);
    return () => set.delete(listener);
  }

  /** Emits it with the next `flush` or before the next event, which keeps the order. */
  queue<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    this.queued.push(() => this.call(name, event));
  }

  flush(): void {
    for (const call of this.queued.splice(0)) call();
  }

  tell<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    this.flush();
    this.call(name, event);
  }

  private call<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of [...this.listeners[name]] as Listener<Name>[]) listener(event);
  }
}
