using System.Collections.Frozen;
using System.Globalization;
using Orderwright.Contracts;
using Orderwright.Runtime;

namespace Orderwright.Http;

/// <summary>Amounts by currency, in minor units, read from a setting such as <c>GBP:10000,JPY:20000,*:10000</c>.</summary>
public sealed class AmountLimits
{
    const string Other = "*";

    readonly FrozenDictionary<string, long> amounts;

    AmountLimits(Dictionary<string, long> amounts) => this.amounts = amounts.ToFrozenDictionary();

    /// <summary>Reads a setting; empty for none. Throws <see cref="InvalidSettingException"/> for a malformed one.</summary>
    /// <param name="name">Name of the setting.</param>
    /// <param name="text">Pairs of a currency, or <c>*</c> for all others, and an amount from 0 to 10^12.</param>
    public static AmountLimits Read(string name, string text)
    {
        var amounts = new Dictionary<string, long>();
        foreach (var pair in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            if (pair.Split(':', StringSplitOptions.TrimEntries) is not [var currency, var number]
                || !(currency == Other || Currencies.IsKnown(currency))
                || !long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var amount) || amount > Check.Most
                || !amounts.TryAdd(currency, amount))
                throw new InvalidSettingException(
                    name, text, "amounts in minor units by currency, such as GBP:10000,EUR:12000, with * for all others");
        return new(amounts);
    }

    /// <summary>True if no currency has an amount.</summary>
    public bool IsEmpty => amounts.Count == 0;

    /// <summary>Amount of a currency in minor units; null for none.</summary>
    public long? Of(string currency) =>
        amounts.TryGetValue(currency, out var amount) || amounts.TryGetValue(Other, out amount) ? amount : null;
}
