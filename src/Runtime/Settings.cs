using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Orderwright.Runtime;

/// <summary>
/// Reads an options class from settings: each settable property from <c>ORDERWRIGHT_{NAME}</c> (or the argument
/// <c>--name</c>), checked against its <see cref="RangeAttribute"/>. Other properties keep the default.
/// </summary>
public static class Settings
{
    public const string Prefix = "ORDERWRIGHT_";
    const NumberStyles Whole = NumberStyles.AllowLeadingSign;

    /// <summary>Throws <see cref="InvalidSettingException"/> for the first invalid setting.</summary>
    public static T Bind<T>(this IConfiguration configuration) where T : new()
    {
        var options = new T();
        foreach (var property in typeof(T).GetProperties().Where(property => property.SetMethod is { IsPublic: true }))
        {
            if (configuration[property.Name] is not { Length: > 0 } text) continue;
            var range = property.GetCustomAttribute<RangeAttribute>();
            var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            var value = Parse(text, type);
            if (value is null || range?.IsValid(value) == false)
                throw new InvalidSettingException(property.Name, text, Allowed(type, range));
            property.SetValue(options, value);
        }
        return options;
    }

    /// <summary>
    /// Parses <c>250ms</c>, <c>5s</c>, <c>15m</c>, <c>2h</c>, <c>90d</c> or <c>hh:mm:ss</c>; null for anything else.
    /// </summary>
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
        : throw new InvalidOperationException($"Settings of type {type.Name} are not supported.");

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
/// Thrown for an invalid setting. The message addresses the administrator and names the setting, the value and the
/// allowed values.
/// </summary>
public sealed class InvalidSettingException : Exception
{
    public InvalidSettingException(string message) : base(message)
    {
    }

    public InvalidSettingException(string name, string was, string allowed)
        : base($"{Settings.Prefix}{name.ToUpperInvariant()} is \"{was}\", which is invalid. Allowed: {allowed}.") =>
        Setting = name;

    /// <summary>Name of the setting without prefix, if the message is about a single one.</summary>
    public string? Setting { get; init; }
}
