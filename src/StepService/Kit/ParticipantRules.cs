using System.Runtime.CompilerServices;
using Orderwright.Contracts;
using Orderwright.Http.Outgoing;
using Orderwright.Runtime;

namespace Orderwright.StepService.Kit;

public enum RuleVerdict
{
    Holds,
    Broken,
    NotJudged,
}

/// <summary>Result of a rule.</summary>
/// <param name="Name">Name of the rule, such as <c>late-do</c>.</param>
/// <param name="Rule">The rule in a sentence.</param>
/// <param name="Verdict">Verdict.</param>
/// <param name="Why">What was seen; null if the rule holds.</param>
public sealed record RuleResult(string Name, string Rule, RuleVerdict Verdict, string? Why);

/// <summary>
/// Checks whether a participant keeps the rules of <c>docs/how-to/add-a-step.md</c>. Each rule uses orders of its own, which no
/// shop has placed.
/// </summary>
public sealed class ParticipantRules(ParticipantUnderTest participant, Func<Guid> newId, TimeProvider time)
{
    const int Twins = 8;
    const int Repeats = 3;

    // Older than any tolerance that Standard Webhooks suggests.
    static readonly TimeSpan OldAge = TimeSpan.FromHours(1);

    sealed record Finding(RuleVerdict Verdict, string? Why)
    {
        public static Finding Holds { get; } = new(RuleVerdict.Holds, null);

        public static Finding Broken(string why) => new(RuleVerdict.Broken, why);

        public static Finding NotJudged(string why) => new(RuleVerdict.NotJudged, why);
    }

    delegate Task<Finding> Check(ParticipantProbe probe, CancellationToken cancel);

    // Those of the undo and the restart only where there is one.
    IEnumerable<(string Name, string Rule, Check Check)> Rules =>
    [
        ("reply", "A signed call gets a valid reply.", ReplyAsync),
        ("unsigned", "A call without a signature is refused.", UnsignedAsync),
        ("forged", "A call signed with another secret is refused.", ForgedAsync),
        ("old", "A signed call that is an hour old is refused.", OldAsync),
        ("repeat", "A repeated call gets the same reply.", RepeatAsync),
        ("twins", $"{Twins} calls at once under one key get the same reply.", TwinsAsync),
        ("lost-reply", "A call whose reply was lost gets its reply when it is repeated.", LostReplyAsync),
        ("unknown-properties", "Properties that a later version adds are ignored.", UnknownPropertiesAsync),
        .. participant.HasUndo ? UndoRules : [],
        .. participant.Restart is null ? Array.Empty<(string, string, Check)>()
            : [("restart", "Replies and undos survive a restart.", RestartAsync)],
    ];

    (string Name, string Rule, Check Check)[] UndoRules =>
    [
        ("undo", "An undo is completed, as often as it is asked for.", UndoAsync),
        ("early-undo", "An undo that arrives before its do is completed.", EarlyUndoAsync),
        ("late-do", "A do that arrives after its undo is rejected.", LateDoAsync),
        ("other-orders", "The undo of an order leaves other orders alone.", OtherOrdersAsync),
    ];

    /// <summary>Checks the rules one after another. Without a valid first reply no further rule is judged.</summary>
    public async IAsyncEnumerable<RuleResult> RunAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        using var probe = new ParticipantProbe(participant, time);
        var isReachable = true;
        foreach (var (name, rule, check) in Rules)
        {
            var (verdict, why) = isReachable
                ? await check(probe, cancel)
                : Finding.NotJudged("The first call got no valid reply.");
            if (name == "reply") isReachable = verdict == RuleVerdict.Holds;
            yield return new(name, rule, verdict, why);
        }
    }

    async Task<Finding> ReplyAsync(ParticipantProbe probe, CancellationToken cancel)
    {
        var answer = await probe.CallAsync(newId(), undo: false, attempt: 1, cancel);
        return answer.Reply is null ? Finding.Broken(answer.ToString()) : Finding.Holds;
    }

    async Task<Finding> UnsignedAsync(ParticipantProbe probe, CancellationToken cancel) =>
        Refused(await probe.CallUnsignedAsync(newId(), cancel));

    async Task<Finding> ForgedAsync(ParticipantProbe probe, CancellationToken cancel) =>
        Refused(await probe.CallSignedAsync(newId(), [WebhookSignature.NewSecret()], time.Now(), cancel));

    async Task<Finding> OldAsync(ParticipantProbe probe, CancellationToken cancel) =>
        Refused(await probe.CallSignedAsync(newId(), participant.Secrets, time.Now() - OldAge, cancel));

    async Task<Finding> RepeatAsync(ParticipantProbe probe, CancellationToken cancel)
    {
        var order = newId();
        var first = await probe.SettleAsync(order, undo: false, cancel);
        return first.IsFinal ? await RepeatsAsync(probe, order, first, cancel) : Open(first);
    }

    async Task<Finding> TwinsAsync(ParticipantProbe probe, CancellationToken cancel)
    {
        var order = newId();
        var twins = await Task.WhenAll(
            Enumerable.Range(1, Twins).Select(attempt => probe.CallAsync(order, undo: false, attempt, cancel)));
        var last = await probe.SettleAsync(order, undo: false, cancel);
        if (!last.IsFinal) return Open(last);
        return twins.FirstOrDefault(twin => twin.IsFinal && !twin.IsSameAs(last)) is { } other
            ? Finding.Broken($"One call got {other}, another {last}.")
            : await RepeatsAsync(probe, order, last, cancel);
    }

    async Task<Finding> LostReplyAsync(ParticipantProbe probe, CancellationToken cancel)
    {
        var order = newId();
        await probe.LoseReplyAsync(order, undo: false, cancel);
        var answer = await probe.SettleAsync(order, undo: false, cancel);
        return answer.IsFinal ? await RepeatsAsync(probe, order, answer, cancel)
            : answer.Reply is null ? Finding.Broken($"The repeated call got {answer}.")
            : Open(answer);
    }

    async Task<Finding> UndoAsync(ParticipantProbe probe, CancellationToken cancel)
    {
        var order = newId();
        var done = await probe.SettleAsync(order, undo: false, cancel);
        return done.IsFinal ? await CompletesAsync(probe, order, cancel) : Open(done);
    }

    async Task<Finding> EarlyUndoAsync(ParticipantProbe probe, CancellationToken cancel) =>
        await CompletesAsync(probe, newId(), cancel);

    async Task<Finding> LateDoAsync(ParticipantProbe probe, CancellationToken cancel)
    {
        var order = newId();
        if (await probe.SettleAsync(order, undo: true, cancel) is { Reply.Outcome: not StepOutcome.Completed } undone)
            return Finding.NotJudged($"The undo got {undone}.");
        return Late(await probe.SettleAsync(order, undo: false, cancel));
    }

    async Task<Finding> OtherOrdersAsync(ParticipantProbe probe, CancellationToken cancel)
    {
        var (undone, other) = (newId(), newId());
        await probe.SettleAsync(undone, undo: true, cancel);
        var late = await probe.SettleAsync(undone, undo: false, cancel);
        var answer = await probe.SettleAsync(other, undo: false, cancel);
        return late.Reply?.Outcome == StepOutcome.Rejected && answer.IsFinal && answer.IsSameAs(late)
            ? Finding.Broken($"After the undo of one order, another got {answer}.")
            : Finding.Holds;
    }

    async Task<Finding> UnknownPropertiesAsync(ParticipantProbe probe, CancellationToken cancel)
    {
        var answer = await probe.CallWithMoreAsync(newId(), cancel);
        return answer.Reply is null ? Finding.Broken($"The call got {answer}.") : Finding.Holds;
    }

    async Task<Finding> RestartAsync(ParticipantProbe probe, CancellationToken cancel)
    {
        var (done, undone) = (newId(), newId());
        var before = await probe.SettleAsync(done, undo: false, cancel);
        if (!before.IsFinal) return Open(before);
        var isUndone = participant.HasUndo
            && await probe.SettleAsync(undone, undo: true, cancel) is { Reply.Outcome: StepOutcome.Completed };
        await participant.Restart!(cancel);
        var after = await probe.SettleAsync(done, undo: false, cancel);
        if (!after.IsSameAs(before)) return Finding.Broken($"Before the restart the reply was {before}, afterwards {after}.");
        return isUndone ? Late(await probe.SettleAsync(undone, undo: false, cancel)) : Finding.Holds;
    }

    static async Task<Finding> RepeatsAsync(
        ParticipantProbe probe, Guid order, ProbeAnswer first, CancellationToken cancel)
    {
        for (var attempt = 2; attempt < 2 + Repeats; attempt++)
            if (await probe.CallAsync(order, undo: false, attempt, cancel) is var again && !again.IsSameAs(first))
                return Finding.Broken($"The first reply was {first}, a later one {again}.");
        return Finding.Holds;
    }

    static async Task<Finding> CompletesAsync(ParticipantProbe probe, Guid order, CancellationToken cancel)
    {
        for (var i = 0; i < 2; i++)
        {
            var answer = await probe.SettleAsync(order, undo: true, cancel);
            if (answer.Reply?.Outcome == StepOutcome.Completed) continue;
            return answer.IsFinal || answer.Reply is null
                ? Finding.Broken($"Undo {i + 1} got {answer}.")
                : Open(answer);
        }
        return Finding.Holds;
    }

    static Finding Refused(ProbeAnswer answer) => answer.Status switch
    {
        null => Finding.NotJudged($"There was no response: {answer.Fault}."),
        >= 400 and < 500 => Finding.Holds,
        var status => Finding.Broken($"The response was {status}."),
    };

    static Finding Late(ProbeAnswer answer) =>
        answer.Reply?.Outcome == StepOutcome.Rejected ? Finding.Holds : Finding.Broken($"The late do got {answer}.");

    static Finding Open(ProbeAnswer answer) => Finding.NotJudged($"No final reply: {answer}.");
}
