using System.Reflection;

namespace Orderwright.Contracts;

/// <summary>Published values of a property, or of the items of a list, for the description of the HTTP API.</summary>
[AttributeUsage(AttributeTargets.Parameter | AttributeTargets.Property)]
public sealed class OneOfAttribute : Attribute
{
    public OneOfAttribute(params string[] values) => Values = values;

    /// <param name="names">Class whose public text constants are the values.</param>
    public OneOfAttribute(Type names)
    {
        ArgumentNullException.ThrowIfNull(names);
        Values =
        [
            .. names.GetFields(BindingFlags.Public | BindingFlags.Static)
                .Where(field => field.IsLiteral && field.FieldType == typeof(string))
                .Select(field => (string)field.GetRawConstantValue()!),
        ];
    }

    public IReadOnlyList<string> Values { get; }
}
