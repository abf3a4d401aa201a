using Orderwright.Contracts;

namespace Orderwright.Client;

/// <summary>
/// Effect of an operator's action in the real world, in sentences. The console's action pages and the previews of the command
/// line show the same text.
/// </summary>
/// <param name="Sentence">Whatever is recorded or requested, with amount, customer and gateway.</param>
/// <param name="Money">Money that moves, or that none does.</param>
/// <param name="Order">Status of the order in the end; null where the action decides nothing.</param>
/// <param name="Payment">State of the payment in the end; null where unknown.</param>
/// <param name="Goods">State of the goods in the end; null without goods.</param>
/// <param name="Amount">Amount concerned, formatted; null without one.</param>
/// <param name="Customer">The customer.</param>
/// <param name="Gateway">Provider with its reference and our key, as far as known; null without a payment.</param>
public sealed record RepairEffect(
    string Sentence, string Money, string? Order, string? Payment, string? Goods, string? Amount, string Customer,
    string? Gateway)
{
    /// <summary>
    /// Ends in words, such as <c>Order → cancelled, payment → refunded, goods → released.</c> Empty without an end.
    /// </summary>
    public string Ends
    {
        get
        {
            var ends = new[] { ("order", Order), ("payment", Payment), ("goods", Goods) }
                .Where(end => end.Item2 is not null).Select(end => $"{end.Item1} → {end.Item2}").ToList();
            return ends.Count == 0 ? "" : $"{char.ToUpperInvariant(ends[0][0])}{string.Join(", ", ends)[1..]}.";
        }
    }

    /// <summary>All sentences.</summary>
    public string Text => $"{Sentence} {Money} {Ends}".TrimEnd();

    /// <summary>Effect of an action on an order as the services describe it now.</summary>
    public static RepairEffect Of(Repair repair, OrderFacts facts)
    {
        var effect = repair.Verb switch
        {
            Repair.Resolve when repair.Step is StepNames.AuthorizePayment or StepNames.CapturePayment =>
                PaymentEffects.OfResolve(repair, facts),
            Repair.Resolve => OfResolve(repair, facts),
            Repair.Retry => OfRetry(facts),
            _ => OfUndo(repair, facts),
        };
        return facts.Payment.IsSuccess || facts.Payment.IsNotFound ? effect
            : effect with
            {
                Money = "customer-service does not answer: how much money the action moves is unknown.", Payment = null,
            };
    }

    /// <summary>Starts an effect with the facts that every effect names.</summary>
    internal static RepairEffect New(OrderFacts facts, string sentence, string money, long? amountMinor) => new(
        sentence, money, null, null, null, amountMinor is { } minor ? facts.Money(minor) : null, facts.Customer,
        PaymentEffects.ReferenceOf(facts));

    /// <summary>Adds the ends of an order that goes on.</summary>
    internal RepairEffect GoingOn(OrderFacts facts, string? payment) => this with
    {
        Order = OrderStatuses.Confirmed, Payment = payment, Goods = facts.Goods.Length > 0 ? "allocated" : null,
    };

    /// <summary>Adds the ends of an order that is undone.</summary>
    /// <param name="facts">The order.</param>
    /// <param name="order">Status of the order; null for the status that the cause of the rollback leads to.</param>
    internal RepairEffect Undone(OrderFacts facts, string? order = null) => this with
    {
        Order = order ?? (facts.Saga.TextOrNull("cancelReason") is not null
            ? OrderStatuses.Cancelled : facts.Saga.Part("reason")?.TextOrNull("kind") ?? OrderStatuses.Cancelled),
        Payment = PaymentEffects.EndOfUndo(facts),
        Goods = facts.GoodsState is null or ReservationStates.Refused ? null : ReservationStates.Released,
    };

    // A step without money: goods, or a participant outside.
    static RepairEffect OfResolve(Repair repair, OrderFacts facts)
    {
        var who = facts.Saga.Items("timeline").Where(step => step.Text("step") == repair.Step)
            .Select(step => step.Text("participant")).LastOrDefault() ?? "the participant";
        var done = (repair.Step, repair.IsUndo) switch
        {
            (StepNames.ReserveStock, false) => $"{facts.Goods} are reserved for {facts.Customer}",
            (StepNames.CommitStock, false) => $"{facts.Goods} are allocated to the order of {facts.Customer}",
            (StepNames.ReserveStock or StepNames.CommitStock, true) => $"{facts.Goods} are available again",
            (_, false) => $"{who} has completed {repair.Step} for the order of {facts.Customer}",
            _ => $"{who} has undone {repair.Step} for the order of {facts.Customer}",
        };
        var sentence = repair.IsCompleted ? $"Record that {done}." : $"Record that this did not happen: {done}.";
        var effect = New(
            facts, $"{sentence} {who} is not asked about it any more.", "The record moves no money.", facts.Total);
        return repair.IsUndo || facts.IsUndoing ? effect.Undone(facts)
            : repair.IsCompleted ? effect.GoingOn(facts, facts.Payment.Body.TextOrNull("state"))
            : effect.Undone(facts, OrderStatuses.Rejected) with
            {
                Money = "Money that was secured or taken for the order goes back.",
            };
    }

    static RepairEffect OfRetry(OrderFacts facts)
    {
        List<string> asks = [], moves = [];
        foreach (var step in facts.Outstanding)
        {
            var (name, undo, who) = (step.Text("step"), step.Flag("undo"), step.Text("participant"));
            if (name is StepNames.AuthorizePayment or StepNames.CapturePayment)
            {
                var (ask, move) = PaymentEffects.OfRetry(name, undo, facts);
                asks.Add(ask);
                moves.Add(move);
            }
            else
                asks.Add((name, undo) switch
                {
                    (StepNames.ReserveStock, false) => $"Ask {who} again to reserve {facts.Goods}.",
                    (StepNames.CommitStock, false) => $"Ask {who} again to allocate {facts.Goods}.",
                    (StepNames.ReserveStock or StepNames.CommitStock, true) => $"Ask {who} again to release {facts.Goods}.",
                    (_, false) => $"Ask {who} again to carry out {name}.",
                    _ => $"Ask {who} again to undo {name}.",
                });
        }
        var effect = New(
            facts, asks.Count == 0 ? "Nothing is outstanding, so nobody is asked." : string.Join(" ", asks),
            moves.Count == 0 ? "The retry moves no money." : string.Join(" ", moves), facts.Total);
        return asks.Count == 0 ? effect : facts.IsUndoing ? effect.Undone(facts)
            : effect.GoingOn(facts, PaymentEffects.EndOfRun(facts));
    }

    static RepairEffect OfUndo(Repair repair, OrderFacts facts)
    {
        if (repair.Verb == Repair.Compensate && facts.IsUndoing
            && !facts.Outstanding.Any(step => !step.Flag("undo") && step.Text("phase") == StepStates.Stuck))
            return New(
                facts, "The order is being undone already, so this action adds nothing.", "It moves no money.", facts.Total)
                .Undone(facts);
        var amount = facts.Total is { } total ? $" of {facts.Money(total)}" : "";
        var sentence = repair.Verb == Repair.Cancel
            ? $"Cancel the order{amount} of {facts.Customer}, and undo every step."
            : $"Undo every step of the order{amount} of {facts.Customer}, without waiting for a stuck step.";
        return New(facts, sentence, PaymentEffects.MoneyOfUndo(facts), facts.Total)
            .Undone(facts, facts.IsUndoing ? null : OrderStatuses.Cancelled);
    }
}
