using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.OrderService.Fulfilments;

/// <summary>
/// Resends the commands of a fulfilment until every participant has confirmed, and handles the confirmations of stock-service
/// and the refusals of both participants. Resending is harmless: participants know a fulfilment by order and number. A command
/// without an answer for half an hour becomes a dead letter for operators, and is resent ever more rarely. Of all such commands
/// to a participant one is resent every 30 s, and its answer makes the others due: after an outage of any length the participant
/// has the rest within a minute, however many commands wait.
/// </summary>
public sealed class ResendFulfilments(OrderStore store, FulfilmentStore fulfilments, ServiceContext context) : IBatchHandler
{
    static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // A later prompt attempt was scheduled by a clock that was ahead.
    static readonly TimeSpan TooFar = ResendUnsettledOrders.LongestPause + RepairClockSkew.Margin;

    /// <summary>Attempts, over half an hour, that an outage of a participant may take.</summary>
    public const int PromptAttempts = 60;

    // The longest pause of a prompt attempt.
    static readonly TimeSpan ProbeEvery = ResendUnsettledOrders.LongestPause;

    // Only a person can repair the data of a participant that refuses; asking more often would only fill logs.
    static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    DateTimeOffset? probedAt;

    public TimedJob Job => new("resend-fulfilments", Interval, ResendAsync);

    public IReadOnlyList<Type> Takes { get; } = [typeof(GoodsShipped), typeof(FulfilmentRefused)];

    public Task HandleAsync(IReadOnlyList<Message> batch, Work work)
    {
        fulfilments.WakeSilent(
            work, [.. batch.Select(message => (message.OrderId, message.Source)).Distinct()], PromptAttempts);
        fulfilments.Finish(
            work,
            [
                .. batch.Where(message => message.Body is GoodsShipped).Select(message => new FulfilmentWork(
                    message.OrderId, ((GoodsShipped)message.Body).Fulfilment, ServiceNames.Stock)).Distinct(),
            ]);
        fulfilments.Refuse(
            work,
            [
                .. batch.Where(message => message.Body is FulfilmentRefused).Select(message =>
                    (message, Refusal: (FulfilmentRefused)message.Body)).DistinctBy(refused =>
                    (refused.message.OrderId, refused.Refusal.Fulfilment, refused.message.Source)).Select(refused => (
                    refused.message.OrderId, refused.Refusal.Fulfilment, refused.message.Source,
                    $"{refused.Refusal.Code}: {refused.Refusal.Message}")),
            ],
            work.Now + LongestPause);
        return Task.CompletedTask;
    }

    async Task<int> ResendAsync(Work work, int most)
    {
        // The confirmations may already be in the inbox.
        if (context.Backlog() > context.Options.MaxMessages) return 0;
        var due = await fulfilments.ClaimDueAsync(
            work, work.Now + TooFar, work.Now + TooFar + LongestPause, PromptAttempts, most);
        var probes = await ProbeAsync(work);
        due.AddRange(probes.FindAll(probe => due.TrueForAll(open => open.Participant != probe.Participant)));
        if (due.Count == 0) return 0;
        await fulfilments.ScheduleAsync(
            work, due, open => work.Now + PauseAfter(open.Attempts + 1));
        var ids = due.Where(NeedsLines).Select(open => open.OrderId).Distinct().ToList();
        var shipped = (await fulfilments.LoadAsync(work, ids)).ToLookup(fulfilment => fulfilment.OrderId);
        var closed = due.Where(open => open.Number == FulfilmentWork.Closing).Select(open => open.OrderId).Distinct().ToList();
        var orders = (await store.LoadAsync(work, closed)).ToDictionary(order => order.Id);
        var unanswered = new List<(Message, string)>();
        foreach (var open in due)
        {
            work.Send(open.OrderId, CommandOf(open), attempt: open.Attempts + 1);
            if (open.Attempts < PromptAttempts) continue;
            var what = open.Number == FulfilmentWork.Closing ? "The close" : $"Fulfilment {open.Number}";
            unanswered.Add((work.Outgoing[^1], $"{what} of the order is not confirmed by {open.Participant}."));
        }
        await DeadLetters.AddAsync(work, context.RuntimeSql, unanswered);
        return due.Count;

        IMessageBody CommandOf(FulfilmentWork open)
        {
            if (open.Number == FulfilmentWork.Closing)
                return FulfilmentRules.ClosingCommandOf(open, orders[open.OrderId], shipped[open.OrderId]);
            if (open.DueMinor is { } due) return new TakeShipped(due, Close: false);
            var fulfilment = shipped[open.OrderId].First(fulfilment => fulfilment.Number == open.Number);
            return new ShipGoods(fulfilment.Number, fulfilment.Lines);
        }
    }

    async Task<List<FulfilmentWork>> ProbeAsync(Work work)
    {
        if (probedAt is { } before && (work.Now - before).Duration() < ProbeEvery) return [];
        probedAt = work.Now;
        return await fulfilments.ClaimSilentAsync(work, PromptAttempts);
    }

    /// <summary>Pause after the given attempt: up to 30 s for half an hour, then doubling up to an hour.</summary>
    /// <param name="attempts">Messages sent so far, 1 and up.</param>
    public static TimeSpan PauseAfter(int attempts) =>
        attempts <= PromptAttempts
            ? ResendUnsettledOrders.PauseAfter(attempts)
            : TimeSpan.FromTicks(Math.Min(
                LongestPause.Ticks,
                ResendUnsettledOrders.PauseAfter(attempts).Ticks << Math.Min(attempts - PromptAttempts, 10)));

    // Only commands to stock-service carry lines.
    static bool NeedsLines(FulfilmentWork open) => open.DueMinor is null;
}
