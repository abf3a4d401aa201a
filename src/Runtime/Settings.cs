using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Orderwright.Runtime;

/// <summary>
/// Reads an options class from settings: each property that others may set from <c>ORDERWRIGHT_{NAME}</c> (or the argument
/// <c>--name</c>), checked against its <see cref="RangeAttribute"/>. What is not set keeps its default.
/// </summary>
public static class Settings
{
    public const string Prefix = "ORDERWRIGHT_";
    const NumberStyles Whole = NumberStyles.AllowLeadingSign;

    /// <summary>Throws <see cref="InvalidSettingException"/> for the first setting that is wrong.</summary>
    public static T Bind<T>(this IConfiguration configuration) where T : new()
    {
        var options = new T();
        foreach (var property in typeof(T).GetProperties().Where(property => property.SetMethod is { IsPublic: true }))
        {
            if (configuration[property.Name] is not { Length: > 0 } text) continue;
            var range = property.GetCustomAttribute<RangeAttribute>();
            var value = Parse(text, property.PropertyType);
            if (value is null || range?.IsValid(value) == false)
                throw new InvalidSettingException(property.Name, text, Allowed(property.PropertyType, range));
            property.SetValue(options, value);
        }
        return options;
    }

    /// <summary><c>250ms</c>, <c>5s</c>, <c>15m</c>, <c>2h</c>, <c>90d</c>, or <c>hh:mm:ss</c>; else null.</summary>
    public static TimeSpan? Duration(string text)
    {
        var digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
        if (digits > 0
            && long.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && count <= 1_000_000_000)
        {
            long? unit = text[digits..] switch
            {
                "ms" => TimeSpan.TicksPerMillisecond,
                "s" => TimeSpan.TicksPerSecond,
                "m" or "min" => TimeSpan.TicksPerMinute,
                "h" => TimeSpan.TicksPerHour,
                "d" when count <= 36_500 => TimeSpan.TicksPerDay,
                _ => null,
            };
            if (unit is { } ticks) return TimeSpan.FromTicks(count * ticks);
        }
        return text.Contains(':', StringComparison.Ordinal)
            && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var span) ? span : null;
    }

    static object? Parse(string text, Type type) =>
        type == typeof(string) ? text
        : type == typeof(int) ? int.TryParse(text, Whole, CultureInfo.InvariantCulture, out var i) ? i : null
        : type == typeof(long) ? long.TryParse(text, Whole, CultureInfo.InvariantCulture, out var l) ? l : null
        : type == typeof(bool) ? bool.TryParse(text, out var b) ? b : null
        : type == typeof(TimeSpan) ? Duration(text)
        : throw new InvalidOperationException($"Settings of the type {type.Name} are not read.");

    static string Allowed(Type type, RangeAttribute? range)
    {
        var kind = type == typeof(TimeSpan) ? "a time such as 250ms, 5s, 15m or 2h"
            : type == typeof(bool) ? "true or false"
            : "a whole number";
        return range is null ? kind : string.Create(
            CultureInfo.InvariantCulture, $"{kind}, from {range.Minimum} to {range.Maximum}");
    }
}

/// <summary>
/// A setting that cannot be. The message is for the person who set it: it names the setting, what it was and what is
/// allowed.
/// </summary>
public sealed class InvalidSettingException : Exception
{
    public InvalidSettingException(string message) : base(message)
    {
    }

    public InvalidSettingException(string name, string was, string allowed)
        : base($"{Settings.Prefix}{name.ToUpperInvariant()} is \"{was}\", which cannot be. Allowed: {allowed}.")
    {
    }
}
