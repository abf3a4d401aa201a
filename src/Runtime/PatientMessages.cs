using Orderwright.Contracts;

namespace Orderwright.Runtime;

/// <summary>
/// Committed messages that no customer waits for (<see cref="MessageCatalog.MayWait"/>), kept for a moment and then sent
/// together, so that their receivers handle many in a transaction. A crash loses them, as a transport may: their senders retry.
/// </summary>
/// <param name="time">Measures the delay.</param>
sealed class PatientMessages(TimeProvider time)
{
    static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(500);

    // Under load a batch is large enough long before the delay ends.
    const int Enough = 64;

    readonly Lock gate = new();
    List<Message> waiting = [];
    bool isDue;

    /// <summary>
    /// Keeps the messages that may wait, and returns those to send now: the others, and enough kept messages with them.
    /// </summary>
    /// <param name="outgoing">Messages of a commit.</param>
    /// <param name="send">Sends kept messages; never throws.</param>
    public IReadOnlyList<Message> Keep(IReadOnlyList<Message> outgoing, Func<IReadOnlyList<Message>, Task> send)
    {
        var first = 0;
        while (first < outgoing.Count && !MayWait(outgoing[first])) first++;
        if (first == outgoing.Count) return outgoing;
        List<Message> now = [.. outgoing.Where(message => !MayWait(message))];
        lock (gate)
        {
            waiting.AddRange(outgoing.Where(MayWait));
            if (waiting.Count >= Enough)
            {
                now.AddRange(waiting);
                waiting.Clear();
            }
            else if (!isDue)
            {
                isDue = true;
                _ = FlushLaterAsync(send);
            }
        }
        return now;
    }

    /// <summary>Sends the kept messages.</summary>
    /// <param name="send">Never throws.</param>
    public Task FlushAsync(Func<IReadOnlyList<Message>, Task> send)
    {
        List<Message> kept;
        lock (gate) (kept, waiting, isDue) = (waiting, [], false);
        return kept.Count == 0 ? Task.CompletedTask : send(kept);
    }

    async Task FlushLaterAsync(Func<IReadOnlyList<Message>, Task> send)
    {
        await Task.Delay(Delay, time);
        await FlushAsync(send);
    }

    static bool MayWait(Message message) => MessageCatalog.MayWait(message.Body, message.Step);
}
