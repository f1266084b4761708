// Listeners for sign-in and sign-out events.
import type { Events } from './accountd';

type Listener<Name extends keyof Events> = (event: Events[Name]) => void;

export class EventEmitter {
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

  /** Emits the event with the next `flush` or before the next `emit`, so the order is preserved. */
  queue<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    this.queued.push(() => this.dispatch(name, event));
  }

  flush(): void {
    for (const dispatch of this.queued.splice(0)) dispatch();
  }

  emit<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    this.flush();
    this.dispatch(name, event);
  }

  private dispatch<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of [...this.listeners[name]] as Listener<Name>[]) listener(event);
  }
}
