using Orderwright.SagaCoordinator.Operators;

namespace Orderwright.Simulation;

/// <summary>An action of a client or operator in the plan.</summary>
public abstract record Operation;

/// <summary>Places an order.</summary>
/// <param name="Number">Identifies the order within the plan.</param>
/// <param name="Customer">The paying customer.</param>
/// <param name="Lines">SKU and quantity.</param>
/// <param name="Token">Card token; null pays from store credit.</param>
/// <param name="HasKey">True when the request carries an Idempotency-Key and is retried until answered.</param>
/// <param name="Copies">Number of nearly simultaneous copies; more than 1 only with a key.</param>
/// <param name="WaitSeconds">As <c>Prefer: wait</c>; 0 without.</param>
public sealed record Place(
    int Number, string Customer, IReadOnlyList<(string Sku, int Quantity)> Lines, string? Token, bool HasKey, int Copies,
    int WaitSeconds) : Operation
{
    /// <summary>The shop's own number; null for none. A repeated import gives the same number to other content.</summary>
    public string? Reference { get; init; }

    /// <summary>Discount in percent of the goods; 0 for none.</summary>
    public int Discount { get; init; }

    /// <summary>True for a till, whose key gives discounts up to <see cref="Shop.TillDiscount"/> percent.</summary>
    public bool AtTill { get; init; }

    /// <summary>Value of the goods without the discount, in minor units.</summary>
    public long GoodsMinor => Lines.Sum(line => line.Quantity * Shop.PriceOf(line.Sku));

    public override string ToString() =>
        $"{Customer} places order {Number}: {string.Join(", ", Lines.Select(line => $"{line.Quantity} {line.Sku}"))}, pays by " +
        $"{Token ?? "store credit"}{(HasKey ? $", {Copies} × under a key" : "")}"
        + (WaitSeconds > 0 ? $", waits {WaitSeconds} s" : "")
        + (Reference is null ? "" : $", reference {Reference}")
        + (Discount > 0 ? $", {Discount} % off{(AtTill ? " at the till" : "")}" : "");
}

/// <summary>Cancels an order whose id the client knows.</summary>
public sealed record Cancel(int Order) : Operation
{
    public override string ToString() => $"order {Order} is to be cancelled";
}

/// <summary>Ships goods once the order is confirmed.</summary>
/// <param name="Order">Number of the order.</param>
/// <param name="Quantity">Units of the first line; null ships all that is left.</param>
public sealed record Ship(int Order, int? Quantity) : Operation
{
    public override string ToString() =>
        $"{(Quantity is { } some ? $"{some} of line 1" : "all that is left")} of order {Order} is shipped";
}

/// <summary>Marks a confirmed order as completed, fulfilled or not.</summary>
public sealed record Complete(int Order) : Operation
{
    /// <summary>End of the goods without a fulfilment: consume or release; null for the default.</summary>
    public string? Goods { get; init; }

    public override string ToString() => $"order {Order} is to be completed{(Goods is null ? "" : $", the rest is to {Goods}")}";
}

/// <summary>Refunds a payment by hand, as soon as money was captured.</summary>
/// <param name="Order">Number of the order.</param>
/// <param name="AmountMinor">Amount; null for everything captured.</param>
public sealed record Refund(int Order, int? AmountMinor) : Operation
{
    public override string ToString() => $"an operator refunds {AmountMinor?.ToString() ?? "all"} of order {Order}";
}

/// <summary>Erases a customer, if nothing stands against it.</summary>
public sealed record Erase(string Customer) : Operation
{
    public override string ToString() => $"{Customer} is to be erased";
}

/// <summary>Registers a customer under an id, new or not.</summary>
public sealed record Register(string Customer) : Operation
{
    public override string ToString() => $"{Customer} is registered by another person";
}

/// <summary>Applies an operator action to the order's process.</summary>
public sealed record Operate(int Order, OperatorVerb Verb) : Operation
{
    public override string ToString() => $"an operator's {Verb} of order {Order}";
}

/// <summary>Corrects the quantity on hand.</summary>
public sealed record Adjust(string Sku, int Delta) : Operation
{
    public override string ToString() => $"{Delta:+0;-0} {Sku} on hand";
}

/// <summary>Tops up a customer's store credit.</summary>
public sealed record TopUp(string Customer, int AmountMinor) : Operation
{
    public override string ToString() => $"{Customer} gets {AmountMinor} of credit";
}

/// <summary>Products and customers that exist before a run.</summary>
public static class Shop
{
    public const string Currency = "GBP";

    public static readonly IReadOnlyList<(string Sku, long Price)> Products = [("TEA", 450), ("MUG", 1_200), ("POT", 3_700)];

    public static long PriceOf(string sku) => Products.First(product => product.Sku == sku).Price;

    public static readonly IReadOnlyList<string> Customers = ["ada", "bob"];

    /// <summary>A customer without store credit, whom an erasure may reach.</summary>
    public const string Guest = "cyd";

    /// <summary>Highest discount of a till, in percent.</summary>
    public const int TillDiscount = 10;
}
