using Microsoft.AspNetCore.Http;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.OrderService;

/// <summary>Validates an order request; every error names its field by JSON pointer.</summary>
public static class OrderChecks
{
    public const int MaxLines = 2_000;
    public const int MaxQuantity = 1_000_000;
    public const int MaxAdjustments = 50;
    public const int MaxMetadata = 50;
    public const int MaxReference = 64;
    public const int MaxLabel = 100;

    const int MaxMetadataKey = 40;
    const int MaxMetadataValue = 500;
    const int MaxProvider = 32;
    const int MaxToken = 255;

    // A response that listed 2,000 bad lines would help no more than the first few.
    const int MaxErrors = 20;

    const string Discount = "discount";
    static readonly IReadOnlyList<string> AdjustmentTypes = ["shipping", Discount, "tax", "fee"];

    /// <summary>Returns the 400 for an invalid order, or null.</summary>
    public static Answer? Refuse(OrderRequest request)
    {
        var check = new Check().Id("/customerId", request.CustomerId).Currency("/currency", request.Currency)
            .OptionalReference("/reference", request.Reference, MaxReference)
            .OptionalReference("/channel", request.Channel, Check.MaxIdLength);
        Lines(check, request.Lines);
        Adjustments(check, request.Adjustments ?? []);
        Payment(check, request.Payment);
        Metadata(check, request.Metadata ?? new Dictionary<string, string>());
        return check.Refusal ?? TotalRefusal(request);
    }

    // Builds pointers for bad lines only: the loop runs for every line of every order.
    static void Lines(Check check, IReadOnlyList<LineRequest> lines)
    {
        if (lines.Count is < 1 or > MaxLines)
        {
            check.Fail("/lines", "out_of_range", $"1 to {MaxLines} lines.");
            return;
        }
        var bad = 0;
        for (var i = 0; i < lines.Count && bad < MaxErrors; i++)
        {
            var line = lines[i];
            if (Check.IsId(line.Sku) && line.Quantity is >= 1 and <= MaxQuantity
                && line.UnitPrice is null or (>= 0 and <= Check.Most))
                continue;
            bad++;
            check.Id($"/lines/{i}/sku", line.Sku).Range($"/lines/{i}/quantity", line.Quantity, 1, MaxQuantity)
                .Range($"/lines/{i}/unitPrice", line.UnitPrice ?? 0, 0, Check.Most);
        }
    }

    static void Adjustments(Check check, IReadOnlyList<Adjustment> adjustments)
    {
        if (adjustments.Count > MaxAdjustments)
            check.Fail("/adjustments", "out_of_range", $"At most {MaxAdjustments} adjustments.");
        for (var i = 0; i < Math.Min(adjustments.Count, MaxAdjustments); i++)
        {
            var (type, label, amount) = adjustments[i];
            var at = $"/adjustments/{i}";
            check.OneOf($"{at}/type", type, AdjustmentTypes).Text($"{at}/label", label, MaxLabel);
            if (type == Discount && amount > 0)
                check.Fail(
                    $"{at}/amount", "out_of_range",
                    "A discount must be 0 or negative: amounts are added to the total.");
            else
                check.Range($"{at}/amount", amount, type == Discount ? -Check.Most : 0, Check.Most);
        }
    }

    // customer-service knows the configured providers, and declines unknown ones.
    static void Payment(Check check, PaymentRequest? payment)
    {
        if (payment is null) return;
        if (payment.Provider.Length > MaxProvider || !Check.IsId(payment.Provider))
            check.Fail("/payment/provider", "invalid_id", "Name of a provider, such as balance or sandbox.");
        if (payment.Token is null)
        {
            if (payment.Provider != PaymentProviders.Balance)
                check.Fail("/payment/token", "required", "This provider needs a token.");
        }
        else if (payment.Token.Length is < 1 or > MaxToken || !payment.Token.All(c => c is > ' ' and <= '~'))
            check.Fail("/payment/token", "invalid_token", $"1 to {MaxToken} visible ASCII characters.");
    }

    static void Metadata(Check check, IReadOnlyDictionary<string, string> metadata)
    {
        if (metadata.Count > MaxMetadata)
        {
            check.Fail("/metadata", "out_of_range", $"At most {MaxMetadata} entries.");
            return;
        }
        foreach (var (key, value) in metadata)
        {
            var isKey = key.Length >= 1 && PlainText.LengthOf(key) <= MaxMetadataKey && PlainText.IsReference(key)
                && key.Trim().Length == key.Length;
            var isLong = value.Length > MaxMetadataValue && PlainText.LengthOf(value) > MaxMetadataValue;
            if (isKey && !isLong) continue;
            var at = "/metadata/"
                + key.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal);
            if (!isKey)
                check.Fail(at, "invalid_key", $"A key has 1 to {MaxMetadataKey} characters, on one line, without outer spaces.");
            if (isLong)
                check.Fail(at, "too_long", $"At most {MaxMetadataValue} characters.");
        }
    }

    // Prices filled in later can only raise the total, so an overflow now is final.
    static Answer? TotalRefusal(OrderRequest request)
    {
        var priced = request.Lines.Where(line => line.UnitPrice is not null).Select(AsLine).ToList();
        if (Money.Total(priced, 0) is null)
            return Problem.Invalid("/lines", ReasonCodes.TotalOutOfRange, "The total is too large to be represented.");
        return priced.Count == request.Lines.Count && Money.Total(priced, SumOf(request.Adjustments ?? [])) is null
            ? Problem.Invalid(
                "/adjustments", ReasonCodes.TotalOutOfRange,
                "The total is negative, or too large to be represented.")
            : null;
    }

    /// <summary>
    /// Refuses a discount beyond the caller's limit with a 403; null for an order that the caller may place. Without the scope
    /// <c>orders:price</c> the total never falls below the limit's share of the total without discounts.
    /// </summary>
    /// <param name="request">Valid order.</param>
    /// <param name="limitPercent">0 to 100.</param>
    public static Answer? RefuseDiscount(OrderRequest request, int limitPercent)
    {
        var adjustments = request.Adjustments ?? [];
        var discount = -adjustments.Sum(adjustment => Math.Min(0, adjustment.Amount));
        if (discount == 0 || limitPercent >= 100) return null;
        var before = (Int128)adjustments.Sum(adjustment => Math.Max(0, adjustment.Amount));
        foreach (var line in request.Lines)
        {
            if (line.UnitPrice is null && limitPercent > 0)
                return Refused($"A discount of at most {limitPercent} % needs the unitPrice of every line.");
            before += (Int128)line.Quantity * (line.UnitPrice ?? 0);
        }
        return (Int128)discount * 100 <= before * limitPercent
            ? null
            : Refused($"The key may give a discount of at most {limitPercent} % of the total without discounts.");

        static Answer Refused(string why) =>
            Problem.Of(StatusCodes.Status403Forbidden, ProblemCodes.DiscountNotAllowed, why);
    }

    static long SumOf(IReadOnlyList<Adjustment> adjustments) => adjustments.Sum(adjustment => adjustment.Amount);

    static OrderLine AsLine(LineRequest line, int index) => new(index + 1, line.Sku, line.Quantity, line.UnitPrice);
}
