using Orderwright.SagaCoordinator.Operators;

namespace Orderwright.Simulation;

/// <summary>Something that somebody outside does; the plan says when.</summary>
public abstract record Operation;

/// <summary>Places an order.</summary>
/// <param name="Number">Under which others of the plan speak of it.</param>
/// <param name="Customer">Who pays.</param>
/// <param name="Lines">SKU and quantity.</param>
/// <param name="Token">The card's; null pays from store credit.</param>
/// <param name="HasKey">Sent under an Idempotency-Key, and again until it is answered.</param>
/// <param name="Copies">How often it is sent at about the same time, 1 or more; more than once only with a key.</param>
/// <param name="WaitSeconds">As <c>Prefer: wait</c>; 0 without.</param>
public sealed record Place(
    int Number, string Customer, IReadOnlyList<(string Sku, int Quantity)> Lines, string? Token, bool HasKey, int Copies,
    int WaitSeconds) : Operation
{
    public override string ToString() =>
        $"{Customer} places order {Number}: {string.Join(", ", Lines.Select(line => $"{line.Quantity} {line.Sku}"))}, pays by " +
        $"{Token ?? "store credit"}{(HasKey ? $", {Copies} × under a key" : "")}"
        + (WaitSeconds > 0 ? $", waits {WaitSeconds} s" : "");
}

/// <summary>Cancels an order, if it is known to have come in.</summary>
public sealed record Cancel(int Order) : Operation
{
    public override string ToString() => $"order {Order} is to be cancelled";
}

/// <summary>Goods of an order leave the house, as soon as it is confirmed.</summary>
/// <param name="Order">Which.</param>
/// <param name="Quantity">Of its first line; null: all that is left of it.</param>
public sealed record Ship(int Order, int? Quantity) : Operation
{
    public override string ToString() =>
        $"{(Quantity is { } some ? $"{some} of line 1" : "all that is left")} of order {Order} is shipped";
}

/// <summary>An operator marks a confirmed order as completed.</summary>
public sealed record Complete(int Order) : Operation
{
    public override string ToString() => $"order {Order} is to be completed";
}

/// <summary>An operator acts on the process of an order.</summary>
public sealed record Operate(int Order, OperatorVerb Verb) : Operation
{
    public override string ToString() => $"an operator's {Verb} of order {Order}";
}

/// <summary>Goods come or go.</summary>
public sealed record Adjust(string Sku, int Delta) : Operation
{
    public override string ToString() => $"{Delta:+0;-0} {Sku} on hand";
}

/// <summary>A customer's store credit is topped up.</summary>
public sealed record TopUp(string Customer, int AmountMinor) : Operation
{
    public override string ToString() => $"{Customer} gets {AmountMinor} of credit";
}

/// <summary>What there is before a run begins.</summary>
public static class Shop
{
    public const string Currency = "GBP";

    public static readonly IReadOnlyList<(string Sku, long Price)> Products = [("TEA", 450), ("MUG", 1_200), ("POT", 3_700)];

    public static readonly IReadOnlyList<string> Customers = ["ada", "bob"];
}
